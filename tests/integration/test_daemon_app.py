"""The life of the daemon: start, ready, reload, stop, and what it refuses."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tests.daemons import living, locked, request
from tests.fake_ipinfo import FakeIpinfo
from tests.mmdb import write_lite
from tests.smtp_server import HANG

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.daemons import Daemon


@pytest.fixture
async def daemon(short_folder: Path) -> AsyncIterator[Daemon]:
    async with living(short_folder) as daemon:
        yield daemon


async def test_a_ban_becomes_a_row_and_a_mail(daemon: Daemon) -> None:
    write_lite(daemon.lab.root / "geo.mmdb")
    daemon.configure(geo={"database": str(daemon.lab.root / "geo.mmdb")})
    await daemon.start()

    ban_id = await daemon.ban("192.0.2.7")

    (mail,) = await daemon.mails(1)
    await daemon.until_sent(1)
    (ban,) = daemon.bans()
    assert (ban["id"], ban["ip"], ban["country_code"]) == (ban_id, "192.0.2.7", "DE")
    assert "banned 192.0.2.7 (DE, AS64496 Example Hosting GmbH)" in mail["Subject"]
    assert mail["To"] == "noc@alerts.example"


async def test_systemd_hears_of_start_reload_and_end(daemon: Daemon) -> None:
    daemon.configure()
    await daemon.start()
    assert daemon.told == ["READY=1"]

    await daemon.reload()
    assert daemon.told[0].startswith("RELOADING=1\nMONOTONIC_USEC=")
    assert daemon.told[1:] == ["READY=1"]

    await daemon.stop()
    await daemon.hears("STOPPING=1")


async def test_without_systemd_it_runs_all_the_same(daemon: Daemon) -> None:
    daemon.configure()
    daemon.environ["NOTIFY_SOCKET"] = ""
    await daemon.start()
    await daemon.ban()
    assert daemon.logged("ready")[0]["host"] == "web1.example.org"


async def test_the_watchdog_is_fed_three_times_in_its_span(daemon: Daemon) -> None:
    daemon.configure()
    daemon.environ["WATCHDOG_USEC"] = "90000"
    await daemon.start()
    for _ in range(3):
        await daemon.hears("WATCHDOG=1")


async def test_stopping_lets_the_mail_under_way_leave_and_keeps_the_rest(
    daemon: Daemon,
) -> None:
    daemon.configure()
    daemon.smtp.greeting_delay = 0.3
    await daemon.start()
    for last in range(1, 6):
        await daemon.ban(f"192.0.2.{last}")
    await asyncio.to_thread(daemon.smtp.wait_until, lambda: bool(daemon.smtp.verbs))

    await daemon.stop()

    assert daemon.states() == ["sent", *["due"] * 4]
    daemon.smtp.greeting_delay = 0
    await daemon.start()
    mails = await daemon.mails(5)
    await daemon.until_sent(5)
    assert len({mail["Message-ID"] for mail in mails}) == len(mails) == 5


async def test_a_mail_that_hangs_does_not_hold_up_the_end(daemon: Daemon) -> None:
    daemon.configure()
    daemon.smtp.replies["DATA"] = HANG
    await daemon.start()
    await daemon.ban("192.0.2.1")
    await daemon.ban("192.0.2.2")
    asked = lambda: "DATA" in daemon.smtp.verbs  # noqa: E731
    await asyncio.to_thread(daemon.smtp.wait_until, asked)

    await daemon.stop()
    daemon.smtp.replies.clear()
    await daemon.start()

    await daemon.until_sent(2)
    assert len(daemon.smtp.received) == 2
    assert daemon.logged("mails sent again, perhaps twice")


async def test_a_request_under_way_is_answered_before_the_end(daemon: Daemon) -> None:
    daemon.configure()
    await daemon.start()
    reader, writer = await asyncio.open_unix_connection(daemon.lab.socket)
    writer.write(b"".join(request(IP=f"192.0.2.{last}") for last in range(1, 50)))
    await writer.drain()
    first = await reader.readline()

    await daemon.stop()

    rest = await reader.read()
    answers = [first, *rest.splitlines(keepends=True)]
    writer.close()
    await writer.wait_closed()
    assert all(answer.startswith(b"ok ") for answer in answers)
    # Whoever got no answer leaves a file; whoever got one has a row.
    assert len(answers) <= len(daemon.bans())


async def test_what_was_spooled_meanwhile_is_taken_at_the_next_start(
    daemon: Daemon,
) -> None:
    daemon.configure()
    await daemon.start()
    await daemon.ban("192.0.2.1")
    await daemon.stop()
    assert await daemon.client("192.0.2.2") == 0
    assert await daemon.client("192.0.2.1") == 0

    await daemon.start()

    await daemon.until_sent(2)
    assert [ban["ip"] for ban in daemon.bans()] == ["192.0.2.1", "192.0.2.2"]
    assert not list(daemon.lab.root.glob("spool/*"))


async def test_the_mail_of_a_spooled_ban_waits_for_its_look_up_too(
    daemon: Daemon,
) -> None:
    with FakeIpinfo() as ipinfo:
        ipinfo.script("delay", seconds=0.4)
        daemon.configure(ipinfo={"keyless": True, "base_url": ipinfo.url})
        for last in (1, 2, 4):
            assert await daemon.client(f"192.0.2.{last}") == 0

        await daemon.start()

        mails = await daemon.mails(3)
    assert all("(" in mail["Subject"] for mail in mails)


async def test_a_reload_takes_new_settings_of_mail_and_sources(daemon: Daemon) -> None:
    daemon.configure()
    await daemon.start()
    await daemon.ban("192.0.2.1")
    await daemon.until_sent(1)

    write_lite(daemon.lab.root / "geo.mmdb")
    daemon.configure(
        mail={"recipient": "night@alerts.example"},
        geo={"database": str(daemon.lab.root / "geo.mmdb")},
    )
    await daemon.reload()
    await daemon.ban("192.0.2.2")

    await daemon.until_sent(2)
    assert [row["recipient"] for row in daemon.outbox()] == [
        "noc@alerts.example",
        "night@alerts.example",
    ]
    # The ban from before the reload is looked up now that there is a source.
    await daemon.until(lambda: all(ban["country_code"] for ban in daemon.bans()))
    assert daemon.logged("configuration read")


async def test_a_bad_file_keeps_the_settings_and_names_each_problem(
    daemon: Daemon,
) -> None:
    daemon.configure()
    await daemon.start()

    daemon.configure(
        mail={"recipient": "night@alerts.example", "wait_seconds": -1, "colour": 1}
    )
    await daemon.reload()
    await daemon.ban("192.0.2.1")

    await daemon.until_sent(1)
    assert daemon.outbox()[0]["recipient"] == "noc@alerts.example"
    problems = [
        entry["problem"] for entry in daemon.logged("configuration kept as it was")
    ]
    assert len(problems) == 2
    assert problems[0].endswith(
        "mail.wait_seconds: input should be greater than or equal to 0"
    )
    assert problems[1].endswith("mail.colour: no such key")


async def test_a_token_that_cannot_be_sent_keeps_the_settings_too(
    daemon: Daemon,
) -> None:
    with FakeIpinfo() as ipinfo:
        daemon.configure(ipinfo={"keyless": True, "base_url": ipinfo.url})
        await daemon.start()

        daemon.environ["F2B_ENRICH_IPINFO_TOKEN"] = "secr\u00e9t"
        await daemon.reload()
        await daemon.ban("192.0.2.1")

        await daemon.until_sent(1)
    assert daemon.logged("configuration kept as it was")
    assert [request.auth for request in ipinfo.requests] == ["none"]
    assert "secr" not in str(daemon.logs)


@pytest.mark.parametrize(
    "changed",
    [{"store": {"path": "/nonexistent"}}, {"daemon": {"max_connections": 9}}],
    ids=["store", "daemon"],
)
async def test_what_only_a_restart_changes_is_said_at_every_reload(
    daemon: Daemon, changed: dict[str, dict[str, object]]
) -> None:
    daemon.configure()
    await daemon.start()
    hint = "[store] and [daemon] change at the next start only"
    daemon.configure(**changed)

    await daemon.reload()
    await daemon.reload()

    assert len(daemon.logged(hint)) == 2
    await daemon.ban()
    daemon.configure()
    await daemon.reload()
    assert len(daemon.logged(hint)) == 2


async def test_a_reload_while_the_store_is_locked_is_survived(daemon: Daemon) -> None:
    daemon.configure()
    await daemon.start()
    with locked(daemon.lab.store):
        await daemon.reload()
        await daemon.until_logged("loop failed")

    await daemon.ban()
    await daemon.until_sent(1)
