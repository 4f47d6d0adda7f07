"""Floods, outages and full spools in the running daemon: who is named in which mail."""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
from collections import Counter
from dataclasses import replace
from email import message_from_bytes
from functools import partial
from typing import TYPE_CHECKING

import pytest

from demo.lab import until
from tests.daemons import TIME, living, request
from tests.digest_mail import body, table
from tests.reading import STRICT
from tests.smtp_server import SmtpServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator
    from email.message import EmailMessage
    from pathlib import Path

    from tests.daemons import Daemon
    from tests.smtp_server import Received


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


def read(received: Iterable[Received]) -> list[EmailMessage]:
    return [message_from_bytes(mail.content, policy=STRICT) for mail in received]


def named(mails: Iterable[EmailMessage]) -> Counter[str]:
    """Count the addresses that mails name as banned, in the order of the mails."""
    found: Counter[str] = Counter()
    for mail in mails:
        alert = re.search(r": banned ([0-9a-f.:]+)", mail["Subject"])
        if alert is not None:
            found[alert[1]] += 1
        elif list(mail.iter_attachments()):
            found.update(row["ip"] for row in table(mail))
        elif " flood " not in mail["Subject"]:
            listed = body(mail, "plain").partition("\nBANS ")[2]
            found.update(re.findall(r"192\.0\.2\.\d+|198\.51\.100\.\d+", listed))
    return found


async def let_pass(daemon: Daemon, **span: float) -> None:
    """Let time pass and wait until the daemon has looked at the clock."""
    daemon.clock.move(**span)
    await daemon.nudge()
    await asyncio.sleep(3 * daemon.spans.digests)


async def test_ten_thousand_bans_in_a_minute_are_a_few_mails_that_name_each_once(
    daemon: Daemon,
) -> None:
    daemon.configure()
    await daemon.start()
    for second in range(60):
        at = f"{daemon.clock().timestamp():.0f}"
        bans = (
            daemon.ban(f"2001:db8:{second:x}:{number:x}::1", TIME=at, MATCHES="")
            for number in range(167)
        )
        await asyncio.gather(*bans)
        daemon.clock.move(seconds=1)
    await daemon.until_logged("flood of bans began, they wait for a digest")
    held = "SELECT count(*) AS held FROM outbox WHERE state = 'held'"
    await daemon.until(lambda: daemon.rows(held) == [{"held": 10_000}])
    first = await daemon.mails(21)
    assert len(first) == 21

    for _ in range(4):
        await let_pass(daemon, minutes=5, seconds=1)
        await daemon.until(
            lambda: not daemon.rows("SELECT 1 FROM outbox WHERE state = 'sending'")
        )
    await daemon.until_logged("flood of bans ended")
    mails = read(await asyncio.to_thread(daemon.smtp.wait_for, 23))
    await daemon.stop()

    assert len(mails) == 23
    found = named(mails)
    assert len(found) == 60 * 167
    assert set(found.values()) == {1}


async def test_a_mail_server_that_was_away_for_two_days_gets_all_in_its_order_once(
    daemon: Daemon,
) -> None:
    daemon.spans = replace(daemon.spans, digests=0.05)
    with closed_port() as port:
        daemon.configure(alerts={"burst": 3}, mail__smtp={"port": port})
        await daemon.start()
        for hour in range(48):
            at = f"{daemon.clock().timestamp()}"
            await daemon.ban(f"192.0.2.{hour}", TIME=at)
            await let_pass(daemon, hours=1)
        await daemon.until_logged("mail not sent")
    with SmtpServer(port=port) as server:
        await let_pass(daemon, minutes=6)
        await asyncio.to_thread(server.wait_for, 6)
        came = read(server.received)
        # Three alerts, that a flood began, and the digests of the two days: no more
        # than there would have been if it had been there.
        assert [mail["Subject"].split(":")[0] for mail in came[3:]] == [
            "[fail2ban] flood began",
            "[fail2ban] daily",
            "[fail2ban] daily",
        ]
        assert list(named(came[:3])) == [f"192.0.2.{number}" for number in range(3)]
        for _ in range(30):
            await let_pass(daemon, hours=1)
        await daemon.until(lambda: not set(daemon.states()) - {"sent", "folded"})
        came = read(server.received)
        await daemon.stop()
    order = [mail["Message-ID"] for mail in came]
    queued = [row["message_id"] for row in daemon.outbox() if row["state"] == "sent"]
    assert order == queued
    assert named(came) == Counter(f"192.0.2.{number}" for number in range(48))


@pytest.mark.parametrize(
    "count",
    [
        500,
        pytest.param(
            50_000, marks=[pytest.mark.soak, pytest.mark.timeout(900)], id="most"
        ),
    ],
)
async def test_a_full_spool_makes_no_alert_and_one_line_of_the_digest(
    daemon: Daemon, count: int
) -> None:
    daemon.configure()
    spool = daemon.lab.root / "spool"
    await asyncio.to_thread(fill, spool, count)
    await daemon.start()
    await daemon.until_logged("draining")
    states = "SELECT state, count(*) AS mails FROM outbox GROUP BY state"
    done = [{"state": "held", "mails": count}]
    is_done = partial(until, lambda: daemon.rows(states) == done, seconds=600)
    assert await asyncio.to_thread(is_done)
    assert list(spool.glob("*.ban")) == []
    assert daemon.smtp.received == []

    await let_pass(daemon, hours=24)
    (mail,) = read(await asyncio.to_thread(daemon.smtp.wait_for, 1, seconds=120))
    await daemon.stop()
    text = " ".join(body(mail, "plain").split())
    assert f"{count:,} bans were told of 15 minutes or more later" in text
    assert len(table(mail)) == count


def fill(spool: Path, count: int) -> None:
    """Leave bans of a week before, as the client does when no daemon is there.

    It counts the files before it adds one, which takes minutes for so many.
    """
    lines = "\n".join(f"Failed password for root port {n} ssh2" for n in range(5))
    for number in range(count):
        ip = f"2001:db8:{number >> 16:x}:{number & 0xFFFF:x}::1"
        at = TIME - 7 * 86_400 + number % 600_000
        content = request(IP=ip, TIME=f"{at}", AT=f"{at}", MATCHES=lines)
        file = spool / f"{number:020}-1-{len(content)}.ban"
        file.write_bytes(content)
        file.chmod(0o640)
