"""Mails on their way out, in the running daemon, whatever the mail server does."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sqlite3
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from tests import cli
from tests.daemons import living
from tests.smtp_server import DROP, SmtpServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from tests.daemons import Daemon

FIRST_RETRY = 23
"""Seconds, for jitter is one half: 30 times three quarters, rounded up."""


class Once(dict[str, str]):
    """Replies of a mail server that are given once each."""

    def get(self, verb: str, default: str = "") -> str:  # type: ignore[override]
        return self.pop(verb, default)


@pytest.fixture
async def daemon(short_folder: Path) -> AsyncIterator[Daemon]:
    async with living(short_folder) as daemon:
        yield daemon


@contextlib.contextmanager
def closed_port() -> Iterator[int]:
    """Give a port where nobody listens, nor can begin to."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()[1]


def first(daemon: Daemon) -> dict[str, object]:
    return daemon.outbox()[0]


async def until_tried(daemon: Daemon, times: int = 1) -> None:
    await daemon.until(lambda: first(daemon)["attempts"] == times)


async def test_a_server_that_refuses_connections_is_tried_after_a_pause(
    daemon: Daemon,
) -> None:
    with closed_port() as port:
        daemon.configure(mail__smtp={"port": port})
        await daemon.start()
        await daemon.ban("192.0.2.1")
        await until_tried(daemon)
    assert "Connect" in str(first(daemon)["last_error"])

    # Nobody listens, so the second is not even tried before the pause is over.
    await daemon.ban("192.0.2.2")
    with SmtpServer(port=port) as server:
        daemon.clock.move(seconds=14)
        await daemon.nudge()
        daemon.clock.move(seconds=1)
        await daemon.nudge()
        await asyncio.to_thread(server.wait_for, 2)
        await daemon.until_sent(2)
        await daemon.stop()

    assert [row["attempts"] for row in daemon.outbox()] == [2, 1]
    assert [row["last_error"] for row in daemon.outbox()] == [None, None]
    assert len(server.received) == 2


async def test_the_pause_doubles_while_nobody_answers(daemon: Daemon) -> None:
    with closed_port() as port:
        daemon.configure(mail__smtp={"port": port})
        await daemon.start()
        for last in range(1, 5):
            await daemon.ban(f"192.0.2.{last}")
        await daemon.until(lambda: tries(daemon) == [1, 0, 0, 0])

        daemon.clock.move(seconds=15)
        await daemon.nudge()
        await daemon.until(lambda: tries(daemon) == [2, 0, 0, 0])
        daemon.clock.move(seconds=15)
        await daemon.nudge()
        daemon.clock.move(seconds=15)
        await daemon.nudge()
        await daemon.until(lambda: tries(daemon) == [3, 0, 0, 0])

    await daemon.until_states(*["due"] * 4)
    tried = daemon.logged("mail not sent")
    # In their order: the first of them stands for all.
    assert [entry["id"] for entry in tried] == [1, 1, 1]


def tries(daemon: Daemon) -> list[int]:
    return [row["attempts"] for row in daemon.outbox()]


@pytest.mark.parametrize("rudeness", ["slow", "drip", "554"])
async def test_a_server_that_greets_badly_is_tried_again(
    daemon: Daemon, rudeness: str
) -> None:
    daemon.configure(mail__smtp={"timeout_seconds": 0.2})
    match rudeness:
        case "slow":
            daemon.smtp.greeting_delay = 3
        case "drip":
            daemon.smtp.drip = 0.1
        case _:
            daemon.smtp.replies["CONNECT"] = "554 5.3.2 no service here"
    await daemon.start()
    await daemon.ban()
    await until_tried(daemon)
    assert daemon.states() == ["due"]

    daemon.smtp.greeting_delay = daemon.smtp.drip = 0
    daemon.smtp.replies.clear()
    daemon.clock.move(seconds=FIRST_RETRY)
    await daemon.nudge()

    await daemon.until_sent(1)
    assert len(daemon.smtp.received) == 1


async def test_a_mail_that_may_have_been_taken_goes_again_under_its_name(
    daemon: Daemon,
) -> None:
    daemon.configure()
    daemon.smtp.replies = Once(END=DROP)
    await daemon.start()
    await daemon.ban()
    await until_tried(daemon)
    assert "whether the server has the mail is unknown" in str(
        first(daemon)["last_error"]
    )

    daemon.clock.move(seconds=FIRST_RETRY)
    await daemon.nudge()

    one, two = await daemon.mails(2)
    assert one["Message-ID"] == two["Message-ID"]
    await daemon.until_sent(1)


@pytest.mark.parametrize("verb", ["MAIL", "RCPT", "DATA", "END"])
async def test_a_mail_put_off_is_tried_again_and_holds_up_no_other(
    daemon: Daemon, verb: str
) -> None:
    daemon.configure()
    daemon.smtp.replies = Once({verb: "451 4.7.1 greylisted, come back"})
    await daemon.start()
    await daemon.ban("192.0.2.1")
    await daemon.ban("192.0.2.2")
    await daemon.until_states("due", "sent")
    assert "451 4.7.1 greylisted, come back" in str(first(daemon)["last_error"])

    daemon.clock.move(seconds=FIRST_RETRY)
    await daemon.nudge()

    await daemon.until_sent(2)
    assert len(daemon.smtp.received) == 2


async def test_a_rejected_recipient_is_given_up_and_holds_up_no_other(
    daemon: Daemon,
) -> None:
    daemon.configure(digest={"daily": ""})  # days pass
    daemon.smtp.replies = Once(RCPT="550 5.1.1 \x1b[31mnobody here by that name")
    await daemon.start()
    await daemon.ban("192.0.2.1", DEST="gone@alerts.example, b@alerts.example")
    await daemon.ban("192.0.2.2")

    await daemon.until_states("dead", "sent", "sent")

    words = str(first(daemon)["last_error"])
    assert "RCPT TO: 550 5.1.1" in words
    assert "nobody here by that name" in words
    assert "\x1b" not in words
    daemon.clock.move(days=1)
    await daemon.nudge()
    await daemon.restart()
    assert daemon.states() == ["dead", "sent", "sent"]
    assert len(daemon.smtp.received) == 2


async def test_a_mail_is_given_up_after_five_days(daemon: Daemon) -> None:
    daemon.configure(digest={"daily": ""})  # days pass
    daemon.smtp.replies["RCPT"] = "452 4.2.2 mailbox full"
    await daemon.start()
    await daemon.ban()
    await until_tried(daemon)

    daemon.clock.move(days=5)
    await daemon.nudge()

    await daemon.until_states("dead")
    words = str(first(daemon)["last_error"])
    assert words.startswith("given up after 5 days: ")
    assert words.endswith("452 4.2.2 mailbox full")


async def test_mails_leave_in_the_order_of_their_bans_and_once(daemon: Daemon) -> None:
    daemon.configure(alerts={"burst": 46})
    daemon.smtp.greeting_delay = 0.3  # so that all the others have to wait
    await daemon.start()
    ids = [await daemon.ban(f"192.0.2.{last}") for last in range(1, 46)]

    mails = await daemon.mails(45)
    await daemon.until_sent(45)
    await daemon.restart()
    await daemon.ban("192.0.2.99")
    await daemon.until_sent(46)

    assert len(daemon.smtp.received) == 46
    assert [mail["Message-ID"].split("@")[0] for mail in mails] == [
        f"<alert.0.{ban_id}" for ban_id in ids
    ]
    # All over two connections: one of each daemon.
    assert daemon.smtp.verbs.count("CONNECT") == 2


@pytest.mark.parametrize("sample", ["you@mail.com", "admin@example.com", "x@y.invalid"])
async def test_a_sample_address_is_never_written_to_whoever_asks(
    daemon: Daemon, sample: str
) -> None:
    daemon.clock.time = datetime.now(UTC)  # the command asks the machine's clock
    daemon.configure(mail={"allow_domains": ["alerts.example", "example.org"]})
    await daemon.start()

    at = str(daemon.clock().timestamp())
    await daemon.ban("192.0.2.1", DEST=sample, TIME=at)

    assert daemon.states() == ["dead"]
    reason = str(first(daemon)["last_error"])
    assert reason.startswith(f"{sample}: a sample address that belongs to nobody here")
    words = ("outbox", "retry", "1", "--config", str(daemon.lab.config))
    retried = await asyncio.to_thread(cli.run, *words)
    assert retried.out == "1 mail due again\n"
    daemon.clock.time = datetime.now(UTC) + timedelta(seconds=1)
    await daemon.nudge()
    await daemon.until(lambda: daemon.states() == ["dead"] and tries(daemon) == [1])
    assert "a sample address" in str(first(daemon)["last_error"])
    await daemon.ban("192.0.2.2", DEST="real@alerts.example", TIME=at)
    await daemon.until_states("dead", "sent")
    assert daemon.smtp.verbs.count("RCPT") == 1


async def test_a_sample_sender_stops_the_mail_too(daemon: Daemon) -> None:
    daemon.configure()
    await daemon.start()
    await daemon.ban(SENDER="fail2ban@mail.com")
    assert daemon.states() == ["dead"]
    assert "fail2ban@mail.com: a sample address" in str(first(daemon)["last_error"])


async def test_each_recipient_of_a_jail_has_a_mail_of_its_own(daemon: Daemon) -> None:
    daemon.configure()
    await daemon.start()
    dest = "a@alerts.example, B <b@alerts.example>,c@alerts.example you@mail.com"
    await daemon.ban(DEST=dest, SENDER="guard@alerts.example")

    mails = await daemon.mails(3)

    await daemon.until_states("sent", "sent", "sent", "dead")
    assert [mail["To"] for mail in mails] == [
        f"{name}@alerts.example" for name in ("a", "b", "c")
    ]
    assert {mail["From"] for mail in mails} == {"guard@alerts.example"}
    assert len({mail["Message-ID"] for mail in mails}) == 3
    assert all(len(mail.recipients) == 1 for mail in daemon.smtp.received)


async def test_without_a_zone_of_its_own_a_mail_has_the_machines(
    daemon: Daemon,
) -> None:
    daemon.timezone = None
    daemon.configure()
    await daemon.start()
    await daemon.ban()
    (mail,) = await daemon.mails(1)
    sent_at = mail["Date"].datetime
    assert sent_at == daemon.clock()
    assert sent_at.utcoffset() == sent_at.astimezone().utcoffset()


async def test_a_row_that_somebody_spoiled_holds_up_no_other(daemon: Daemon) -> None:
    daemon.configure()
    await daemon.start()
    await daemon.ban("192.0.2.1", BANCOUNT="2")
    await daemon.ban("192.0.2.2", BANCOUNT="2")
    with contextlib.closing(sqlite3.connect(daemon.lab.store)) as db:
        db.execute("UPDATE bans SET banned_at = 'soon' WHERE ip = '192.0.2.1'")
        db.commit()

    daemon.clock.move(seconds=11)
    await daemon.nudge()

    await daemon.until_states("due", "sent")
    assert str(first(daemon)["last_error"]).startswith("ValueError: ")
    assert tries(daemon) == [1, 1]
    (crash,) = [entry for entry in daemon.logs if "exc_info" in entry]
    daemon.logs.remove(crash)


async def test_a_mail_whose_ban_is_gone_is_given_up(daemon: Daemon) -> None:
    daemon.configure()
    await daemon.start()
    ban_id = await daemon.ban(BANCOUNT="2")
    with contextlib.closing(sqlite3.connect(daemon.lab.store)) as db:
        db.execute("DELETE FROM bans WHERE id = ?", (ban_id,))
        db.commit()

    daemon.clock.move(seconds=11)
    await daemon.nudge()

    await daemon.until_states("dead")
    assert first(daemon)["last_error"] == "the store has no such ban"
