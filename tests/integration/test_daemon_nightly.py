"""The pass of each night: when it is made, and what it leaves in a real store."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from f2b_enrich.daemon.commits import Commits
from f2b_enrich.daemon.loops import forever
from f2b_enrich.daemon.nightly import (
    CHORE,
    LOOK_SECONDS,
    PAGE_TRIES,
    START_SECONDS,
    Nightly,
    next_night,
    pages,
)
from f2b_enrich.daemon.reads import Reads
from f2b_enrich.errors import StoreError
from f2b_enrich.store import campaigns, chores
from f2b_enrich.store.campaigns import Candidate
from f2b_enrich.store.connection import open_reader, open_writer
from tests.clock import Clock
from tests.integration.test_store_campaigns import NAMES, add, tries_of, walk
from tests.stores import NOW, StoreBuilder, located

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import AsyncIterator
    from datetime import tzinfo
    from pathlib import Path

    from f2b_enrich.model import Campaign

DAY = timedelta(days=1)


@dataclass
class Night:
    """A pass over one store, on a clock that its own waits move."""

    path: Path
    connection: sqlite3.Connection
    commits: Commits
    reads: Reads
    clock: Clock
    timezone: tzinfo | None = UTC
    waits: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.nightly = self.starts()

    def starts(self, path: Path | None = None) -> Nightly:
        self.nightly = Nightly(
            path or self.path,
            self.commits,
            self.reads,
            now=self.clock,
            wait=self.wait,
            timezone=self.timezone,
        )
        return self.nightly

    async def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.clock.move(seconds=seconds)

    def done_at(self) -> datetime | None:
        return chores.done_at(self.connection, CHORE)

    async def next(self) -> datetime:
        """Take steps until a pass is done; tell when it was."""
        before = self.done_at()
        while self.done_at() == before:
            await self.nightly.step()
        done = self.done_at()
        assert done is not None
        return done

    async def was_done(self, at: datetime) -> None:
        await self.commits.submit(lambda db: chores.done(db, CHORE, now=at))

    def campaigns(self, ip: str = "192.0.2.7") -> tuple[Campaign, ...]:
        return campaigns.of(
            self.connection, ip=ip, subnet="192.0.2.0/24", asn=64500, at=NOW
        )


@pytest.fixture
def store(tmp_path: Path) -> StoreBuilder:
    builder = StoreBuilder(tmp_path / "bans.db")
    builder.classify()
    return builder


@pytest.fixture
async def night(store: StoreBuilder) -> AsyncIterator[Night]:
    with open_writer(store.path) as writer, open_reader(store.path) as reader:
        async with Commits(writer) as commits:
            reads = Reads(reader)
            clock = Clock(NOW.isoformat())
            yield Night(store.path, reader, commits, reads, clock)
            reads.close()


async def test_the_first_pass_is_some_minutes_after_the_start(night: Night) -> None:
    assert await night.next() == NOW + timedelta(seconds=START_SECONDS)


async def test_it_is_made_at_three_o_clock_every_night(night: Night) -> None:
    await night.next()
    nights = [await night.next() for _ in range(3)]

    assert nights == [datetime(2026, 11, day, 3, tzinfo=UTC) for day in (22, 23, 24)]
    assert max(night.waits) <= LOOK_SECONDS


async def test_one_that_was_made_this_night_is_not_made_at_the_start(
    night: Night,
) -> None:
    await night.was_done(NOW.replace(hour=3, minute=0, second=9))
    night.clock.move(hours=2)

    assert await night.next() == datetime(2026, 11, 22, 3, tzinfo=UTC)


async def test_one_that_was_missed_is_made_some_minutes_after_the_start(
    night: Night,
) -> None:
    await night.was_done(NOW - DAY)
    started = night.clock()

    assert await night.next() == started + timedelta(seconds=START_SECONDS)
    assert await night.next() == datetime(2026, 11, 22, 3, tzinfo=UTC)


async def test_a_machine_that_slept_through_the_night_makes_it_at_once(
    night: Night,
) -> None:
    await night.next()
    await night.nightly.step()
    night.clock.move(hours=20)
    woken = night.clock()

    assert await night.next() == woken


async def test_a_clock_that_is_set_back_holds_nothing_up(night: Night) -> None:
    await night.next()
    night.clock.move(days=-400)
    await night.nightly.step()
    back = night.done_at()
    nights = [await night.next() for _ in range(2)]

    assert back == NOW + timedelta(days=-400, seconds=START_SECONDS)
    assert nights == [datetime(2025, 10, day, 3, tzinfo=UTC) for day in (18, 19)]


async def test_a_clock_that_is_set_forward_makes_one_pass(night: Night) -> None:
    await night.next()
    night.clock.move(days=400)
    forward = night.clock()

    assert await night.next() == forward
    assert (await night.next()) - forward <= DAY


HELSINKI = ZoneInfo("Europe/Helsinki")


@pytest.mark.parametrize(
    ("zone", "after", "nights"),
    [
        # At three o'clock it is four.
        (
            HELSINKI,
            "2026-03-27T12:00:00Z",
            ["2026-03-28T01:00Z", "2026-03-29T01:00Z", "2026-03-30T00:00Z"],
        ),
        # At four o'clock it is three again.
        (
            HELSINKI,
            "2026-10-23T12:00:00Z",
            ["2026-10-24T00:00Z", "2026-10-25T00:00Z", "2026-10-26T01:00Z"],
        ),
        (
            ZoneInfo("America/New_York"),
            "2026-03-07T12:00:00Z",
            ["2026-03-08T07:00Z", "2026-03-09T07:00Z", "2026-03-10T07:00Z"],
        ),
        # It had no 30 December 2011.
        (
            ZoneInfo("Pacific/Apia"),
            "2011-12-29T00:00:00Z",
            ["2011-12-29T13:00Z", "2011-12-30T13:00Z", "2011-12-31T13:00Z"],
        ),
    ],
)
async def test_three_o_clock_is_that_of_the_wall_when_clocks_change(
    night: Night, zone: ZoneInfo, after: str, nights: list[str]
) -> None:
    night.timezone = zone
    night.starts()
    night.clock.time = datetime.fromisoformat(after)
    await night.was_done(night.clock())

    made = [await night.next() for _ in nights]

    assert made == [datetime.fromisoformat(each) for each in nights]


def test_the_zone_is_the_machine_s_if_none_is_given(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "Asia/Tokyo")
        time.tzset()
        at = next_night(NOW, None)
    time.tzset()

    assert at == datetime(2026, 11, 22, 18, tzinfo=UTC)


ZONES = ("UTC", "Europe/Helsinki", "Africa/Casablanca", "Australia/Lord_Howe")


@given(
    st.integers(0, 2**31).map(lambda at: datetime.fromtimestamp(at, UTC)),
    st.sampled_from(ZONES).map(ZoneInfo),
)
def test_between_two_nights_there_is_a_day(after: datetime, zone: ZoneInfo) -> None:
    first = next_night(after, zone)
    second = next_night(first, zone)

    assert timedelta(0) < first - after <= timedelta(hours=25)
    assert timedelta(hours=22) <= second - first <= timedelta(hours=26)
    assert first.astimezone(zone).hour in {3, 4}


async def test_it_names_address_subnet_and_network(
    night: Night, store: StoreBuilder
) -> None:
    walk(store, "192.0.2.7", "192.0.2.8", "198.51.100.1", until=NOW)
    store.learn(*(located(ip) for ip in ("192.0.2.7", "192.0.2.8", "198.51.100.1")))

    await night.next()

    assert [
        (each.scope, each.who, each.addresses, each.names, each.in_order)
        for each in night.campaigns()
    ] == [
        ("address", "192.0.2.7", 1, 20, True),
        ("subnet", "192.0.2.0/24", 2, 35, True),
        ("network", "AS64500", 3, 50, True),
    ]


async def test_the_next_night_adds_to_what_goes_on(
    night: Night, store: StoreBuilder
) -> None:
    walk(store, "192.0.2.7", names=NAMES[:25])
    await night.next()
    (before,) = night.campaigns()
    walk(store, "192.0.2.7", names=NAMES[25:], until=NOW + timedelta(hours=6))
    await night.next()
    (after,) = night.campaigns()

    assert (before.names, before.last_name) == (25, "eu")
    assert (after.names, after.last_name) == (50, "ju")
    assert after.first_at == before.first_at


async def test_who_guesses_passwords_is_not_named(
    night: Night, store: StoreBuilder
) -> None:
    walk(store, "192.0.2.7", names=("root", "admin", "test", "oracle", "pi") * 20)
    # Candidates, by the names they tried; but in bans that are too few.
    add(store, tries_of("192.0.2.8", 3, 12))
    with store.writing() as connection:
        connection.execute("DELETE FROM observed WHERE ban_id LIKE '%.8 2'")

    with capture_logs() as logs:
        await night.next()

    assert night.campaigns() == night.campaigns("192.0.2.8") == ()
    assert {"event": "campaigns looked for", "found": 0, "log_level": "info"} in logs


async def test_many_are_written_page_by_page(night: Night, store: StoreBuilder) -> None:
    many = [f"10.{n}.0.1" for n in range(250)]
    add(store, (each for ip in many for each in tries_of(ip, 3, 8)))

    await night.next()

    count = night.connection.execute("SELECT count(*) FROM campaigns").fetchone()[0]
    assert count == 250
    assert night.campaigns("10.249.0.1")[0].names == 24


async def test_a_pass_that_fails_is_made_again_soon(
    night: Night, store: StoreBuilder, tmp_path: Path
) -> None:
    walk(store, "192.0.2.7")
    later = tmp_path / "later.db"
    nightly = night.starts(later)
    await nightly.step()
    with pytest.raises(StoreError):
        await nightly.step()
    assert night.done_at() is None

    later.symlink_to(store.path)
    with capture_logs() as logs:
        await nightly.step()

    assert night.done_at() == NOW + timedelta(seconds=START_SECONDS)
    assert len(night.campaigns()) == 1
    assert [each["event"] for each in logs] == ["campaigns looked for"]


async def test_its_loop_logs_the_failure_and_goes_on(
    night: Night, tmp_path: Path
) -> None:
    stop, later = asyncio.Event(), tmp_path / "later.db"
    nightly = night.starts(later)
    failures = 0

    async def step() -> None:
        nonlocal failures
        try:
            await nightly.step()
        except StoreError:
            failures += 1
            if failures == 2:
                later.symlink_to(night.path)
            raise
        if night.done_at() is not None:
            stop.set()

    with capture_logs() as logs:
        async with asyncio.timeout(10):
            await forever("nightly", step, until=stop, pause=0.01)

    assert [(each["event"], each["log_level"]) for each in logs] == [
        ("loop failed", "warning"),
        ("loop failed", "warning"),
        ("campaigns looked for", "info"),
    ]


class Asked(Commits):
    """Tells when a pass comes to its first question."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        super().__init__(connection)
        self.asked = asyncio.Event()

    async def lull(self, *, most: float) -> None:
        await super().lull(most=most)
        self.asked.set()


async def test_a_daemon_that_is_told_to_stop_does_not_wait_for_it(
    store: StoreBuilder,
) -> None:
    walk(store, "192.0.2.7")
    with open_writer(store.path) as writer, open_reader(store.path) as reader:
        writer.executescript(ENDLESS)
        async with Asked(writer) as commits:
            reads = Reads(reader)
            night = Night(store.path, reader, commits, reads, Clock(NOW.isoformat()))
            await night.nightly.step()
            one = asyncio.create_task(night.nightly.step())
            async with asyncio.timeout(10):
                await commits.asked.wait()
                await asyncio.sleep(0)
                one.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await one
            reads.close()
            assert night.done_at() is None


ENDLESS = """
    ALTER TABLE observed RENAME TO real_observed;
    CREATE VIEW observed AS
    WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n)
    SELECT real_observed.* FROM n CROSS JOIN real_observed;
"""


def test_pages_hold_as_much_as_is_read_at_once_and_at_least_one() -> None:
    most = PAGE_TRIES
    sizes = {"a": most - 9, "b": 9, "c": 1, "d": 3 * most, "e": most - 1}
    listed = (Candidate(who=who, tries=tries) for who, tries in sizes.items())

    assert list(pages(listed)) == [["a", "b"], ["c"], ["d"], ["e"]]
    assert list(pages([])) == []
