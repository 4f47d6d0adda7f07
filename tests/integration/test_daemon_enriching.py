"""Addresses on their way to being known, in the running daemon."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.daemons import QUICK, TIME, living, locked
from tests.fake_ipinfo import FakeIpinfo, refusing_url
from tests.mmdb import write_lite

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from tests.daemons import Daemon


@pytest.fixture
async def daemon(short_folder: Path) -> AsyncIterator[Daemon]:
    async with living(short_folder) as daemon:
        yield daemon


@pytest.fixture
def ipinfo() -> Iterator[FakeIpinfo]:
    with FakeIpinfo() as server:
        yield server


def ask_ipinfo(
    daemon: Daemon, url: str, *, seconds: float = 3.0, **sections: dict[str, object]
) -> None:
    """Configure IPinfo without a token; its client is imported within that time."""
    daemon.configure(
        ipinfo={"keyless": True, "base_url": url, "timeout_seconds": seconds},
        enrich={"deadline_seconds": seconds + 0.1},
        **sections,
    )


def use_database(daemon: Daemon) -> dict[str, object]:
    return {"database": str(write_lite(daemon.lab.root / "geo.mmdb"))}


def nth_time(number: int) -> str:
    """Give a ban's time of its own, so that it is a ban of its own."""
    return f"{TIME + number:.2f}"


async def all_known(daemon: Daemon, count: int) -> None:
    """Wait until so many bans are there and looked up."""
    waiting = "SELECT count(enrichment_id) AS known FROM bans"
    await daemon.until(lambda: daemon.rows(waiting)[0]["known"] == count)


async def test_a_hundred_bans_of_one_address_are_one_look_up(
    daemon: Daemon, ipinfo: FakeIpinfo
) -> None:
    ask_ipinfo(daemon, ipinfo.url, alerts={"burst": 100, "per_day": 101})
    ipinfo.script("delay", seconds=0.1)
    await daemon.start()

    bans_ = [daemon.ban("192.0.2.1", TIME=nth_time(i)) for i in range(100)]
    assert len(set(await asyncio.gather(*bans_))) == 100

    await all_known(daemon, 100)
    await daemon.until_sent(100)
    assert len(ipinfo.paths()) == 1
    assert {ban["city"] for ban in daemon.bans()} == {"Berlin"}
    assert len(daemon.rows("SELECT id FROM enrichments")) == 1


async def test_a_hundred_addresses_at_once_are_one_look_up_each(
    daemon: Daemon, ipinfo: FakeIpinfo
) -> None:
    ask_ipinfo(daemon, ipinfo.url)
    await daemon.start()

    await asyncio.gather(*(daemon.ban(f"192.0.2.{last}") for last in range(100, 200)))

    await all_known(daemon, 100)
    paths = ipinfo.paths()
    assert len(paths) == len(set(paths)) == 100


async def test_a_look_up_serves_for_thirty_days_restart_or_not(
    daemon: Daemon, ipinfo: FakeIpinfo
) -> None:
    ask_ipinfo(daemon, ipinfo.url)
    await daemon.start()
    await daemon.ban("192.0.2.1")
    await all_known(daemon, 1)

    daemon.clock.move(days=29, hours=23)
    await daemon.ban("192.0.2.1", TIME=nth_time(1))
    await all_known(daemon, 2)
    await daemon.restart()
    await daemon.ban("192.0.2.1", TIME=nth_time(2))
    await all_known(daemon, 3)
    assert len(ipinfo.paths()) == 1

    daemon.clock.move(hours=2)
    await daemon.ban("192.0.2.1", TIME=nth_time(3))
    await all_known(daemon, 4)
    assert len(ipinfo.paths()) == 2
    # Each ban keeps the snapshot of its time.
    found = daemon.rows("SELECT enrichment_id FROM bans ORDER BY banned_at")
    assert [row["enrichment_id"] for row in found] == [1, 1, 1, 2]


async def test_a_snapshot_without_one_source_is_soon_renewed(
    daemon: Daemon, ipinfo: FakeIpinfo
) -> None:
    ask_ipinfo(daemon, ipinfo.url, geo=use_database(daemon))
    ipinfo.script("500")
    await daemon.start()
    await daemon.ban("192.0.2.1")
    await all_known(daemon, 1)
    assert daemon.bans()[0]["country_code"] == "DE"
    assert daemon.bans()[0]["city"] is None
    (mail,) = await daemon.mails(1)
    assert "not every source answered" in mail.get_content()

    ipinfo.behave()
    daemon.clock.move(minutes=14)
    await daemon.ban("192.0.2.1", TIME=nth_time(1))
    await all_known(daemon, 2)
    assert [ban["city"] for ban in daemon.bans()] == [None, None]

    daemon.clock.move(minutes=2)
    await daemon.ban("192.0.2.1", TIME=nth_time(2))
    await all_known(daemon, 3)
    assert [ban["city"] for ban in daemon.bans()] == [None, None, "Berlin"]


async def test_what_is_no_public_address_is_never_looked_up(
    daemon: Daemon, ipinfo: FakeIpinfo
) -> None:
    odd = {
        *("10.1.2.3", "127.0.0.1", "fe80::1", "100.64.0.1", "::1", "fc00::7"),
        *("192.0.2.0/24", "2001:db8::/32", "host.example.net", "notanip!", "1.2.3"),
        *("fe80::1%eth0", "$(id)", "../../etc/passwd", "192.0.2.1?token=x"),
    }
    ask_ipinfo(daemon, ipinfo.url, geo=use_database(daemon))
    await daemon.start()

    for ip in odd:
        await daemon.ban(ip)

    mails = await daemon.mails(len(odd))
    await daemon.until_sent(len(odd))
    assert ipinfo.paths() == []
    assert {ban["ip"] for ban in daemon.bans()} == odd
    assert all(ban["country_code"] is None for ban in daemon.bans())
    assert all("not looked up: " in mail.get_content() for mail in mails)


FAULTS = (
    *("delay", "drip", "hold", "reset", "close", "short", "huge"),
    *("403", "403-html", "403-latin1", "403-huge", "403-cut", "429-daily"),
    *("502", "503-later", "504", "html-200", "html-as-json"),
    *("truncated-json", "nested", "null", "empty", "wrong-ip"),
)


@pytest.mark.parametrize("fault", FAULTS)
async def test_whatever_ipinfo_does_there_is_a_row_and_a_mail(
    daemon: Daemon, ipinfo: FakeIpinfo, fault: str
) -> None:
    ask_ipinfo(daemon, ipinfo.url, geo=use_database(daemon))
    ipinfo.script(fault, **({"seconds": 5} if fault == "delay" else {}))
    await daemon.start()

    # The clock stands still: what goes, goes for the look-up is over.
    await daemon.ban("192.0.2.1")

    (mail,) = await daemon.mails(1)
    assert "(DE, AS64496 Example Hosting GmbH)" in mail["Subject"]
    (ban,) = daemon.bans()
    assert (ban["country_code"], ban["city"]) == ("DE", None)
    await daemon.until_sent(1)
    assert ipinfo.paths()


@pytest.mark.parametrize("fault", ["hold", "403", "nested"])
async def test_without_any_answer_the_mail_goes_with_what_fail2ban_said(
    daemon: Daemon, ipinfo: FakeIpinfo, fault: str
) -> None:
    ask_ipinfo(daemon, ipinfo.url)
    ipinfo.script(fault)
    await daemon.start()

    await daemon.ban("192.0.2.1")

    (mail,) = await daemon.mails(1)
    assert mail["Subject"] == "[fail2ban] web1 sshd: banned 192.0.2.1, 1st ban"
    assert "not looked up yet" in mail.get_content()
    assert daemon.bans()[0]["looked_up_at"] is None


async def test_an_ipinfo_that_cannot_be_reached_is_no_matter(daemon: Daemon) -> None:
    ask_ipinfo(daemon, refusing_url(), geo=use_database(daemon))
    await daemon.start()
    for last in range(1, 20):
        await daemon.ban(f"192.0.2.{last}")
    await daemon.until_sent(19)
    await all_known(daemon, 19)


async def test_bans_that_were_never_looked_up_are_after_a_restart(
    daemon: Daemon, ipinfo: FakeIpinfo
) -> None:
    daemon.configure()
    await daemon.start()
    for last in range(1, 6):
        await daemon.ban(f"192.0.2.{last}0")
    await daemon.until_sent(5)

    ask_ipinfo(daemon, ipinfo.url)
    await daemon.restart()

    await all_known(daemon, 5)
    assert len(ipinfo.paths()) == 5
    assert len(daemon.smtp.received) == 5


async def test_a_database_that_comes_later_is_used_by_the_next_sweep(
    daemon: Daemon,
) -> None:
    daemon.spans = replace(QUICK, sweep=0.05)
    daemon.configure(geo={"database": str(daemon.lab.root / "geo.mmdb")})
    await daemon.start()
    await daemon.ban("192.0.2.1")
    await daemon.ban("2001:db8::7")
    await daemon.until_sent(2)
    assert "geo update" in (await daemon.until_logged("look-up failed"))["reason"]

    other = write_lite(daemon.lab.root / "new.mmdb")
    other.rename(daemon.lab.root / "geo.mmdb")

    await all_known(daemon, 2)
    assert {ban["country_code"] for ban in daemon.bans()} == {"DE"}
    assert len(daemon.smtp.received) == 2


async def test_a_locked_store_costs_no_second_look_up(
    daemon: Daemon, ipinfo: FakeIpinfo
) -> None:
    ask_ipinfo(daemon, ipinfo.url)
    ipinfo.script("delay", seconds=0.2)
    await daemon.start()
    await daemon.ban("192.0.2.1")
    await daemon.until(lambda: bool(ipinfo.paths()))

    with locked(daemon.lab.store):
        await daemon.until_logged("look-up not yet noted")

    await all_known(daemon, 1)
    await daemon.until_sent(1)
    assert len(ipinfo.paths()) == 1
