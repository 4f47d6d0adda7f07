"""What an alert waits for, and what it says when that does not come."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.daemons import TIME, living
from tests.fake_ipinfo import FakeIpinfo
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


async def test_the_mail_waits_for_the_look_up_and_goes_when_it_comes(
    daemon: Daemon, ipinfo: FakeIpinfo
) -> None:
    ipinfo.script("delay", seconds=0.3)
    daemon.configure(ipinfo={"keyless": True, "base_url": ipinfo.url})
    await daemon.start()

    await daemon.ban("192.0.2.1")

    assert daemon.states() == ["due"]
    (mail,) = await daemon.mails(1)
    assert "Berlin, State of Berlin, Germany" in mail.get_content()


async def test_after_the_wait_it_goes_without_and_does_not_come_again(
    daemon: Daemon, ipinfo: FakeIpinfo
) -> None:
    ipinfo.script("delay", seconds=1.0)
    daemon.configure(ipinfo={"keyless": True, "base_url": ipinfo.url})
    await daemon.start()
    await daemon.ban("192.0.2.1")
    daemon.clock.move(seconds=9)
    await daemon.nudge()
    assert daemon.states() == ["due"]

    daemon.clock.move(seconds=1)
    await daemon.nudge()

    (mail,) = await daemon.mails(1)
    assert "not looked up yet" in mail.get_content()
    await daemon.until(lambda: daemon.bans()[0]["city"] == "Berlin")
    await daemon.restart()
    await daemon.ban("192.0.2.1", TIME=f"{TIME + 1}")
    await daemon.until_sent(2)
    assert len(daemon.smtp.received) == 2


async def test_the_mail_of_a_repeat_offender_says_the_prolonged_time(
    daemon: Daemon,
) -> None:
    database = write_lite(daemon.lab.root / "geo.mmdb")
    daemon.configure(geo={"database": str(database)})
    await daemon.start()
    ban_id = await daemon.ban(BANCOUNT="3")
    await daemon.until(lambda: daemon.bans()[0]["country_code"] == "DE")
    await daemon.nudge()
    assert daemon.states() == ["due"]

    prolonged = await daemon.report(
        EVENT="prolong", BANTIME="172800", BANCOUNT="3", AT=f"{TIME + 5}"
    )

    assert prolonged == f"ok {ban_id}"
    (mail,) = await daemon.mails(1)
    assert "(2 days)" in mail.get_content()
    assert "at least" not in mail.get_content()


async def test_without_a_prolonged_time_the_mail_says_at_least(daemon: Daemon) -> None:
    daemon.configure()
    await daemon.start()
    await daemon.ban(BANCOUNT="3")
    daemon.clock.move(seconds=10)
    await daemon.nudge()
    assert daemon.states() == ["due"]

    daemon.clock.move(seconds=1)
    await daemon.nudge()

    (mail,) = await daemon.mails(1)
    assert "at least" in mail.get_content()
    # The real time comes late: it is stored, and nobody is written to again.
    late = {"EVENT": "prolong", "BANTIME": "7200", "AT": f"{TIME + 30}"}
    await daemon.report(**late)
    await daemon.ban("192.0.2.9")
    await daemon.until_sent(2)
    assert len(daemon.smtp.received) == 2
    assert daemon.bans()[0]["bantime_seconds"] == 7200


async def test_a_ban_for_ever_does_not_wait_for_a_longer_time(daemon: Daemon) -> None:
    daemon.configure()
    await daemon.start()
    await daemon.ban(BANCOUNT="3", BANTIME="-1")
    (mail,) = await daemon.mails(1)
    assert "banned for ever" in mail.get_content()
