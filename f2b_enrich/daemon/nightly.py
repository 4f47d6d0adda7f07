"""What is done every night: campaigns over many bans are looked for."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, time, timedelta
from functools import partial
from typing import TYPE_CHECKING

import structlog

from f2b_enrich.classify.campaigns import (
    FEW_BANS,
    LEAST_BANS,
    LEAST_NAMES,
    MOSTLY,
    SPLIT,
    Try,
    campaign,
)
from f2b_enrich.daemon.reads import Reads
from f2b_enrich.store import campaigns, chores
from f2b_enrich.store.campaigns import Signs
from f2b_enrich.store.connection import open_reader

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
    from datetime import tzinfo
    from pathlib import Path

    from f2b_enrich.classify.campaigns import Scope
    from f2b_enrich.daemon.commits import Commits
    from f2b_enrich.model import Campaign
    from f2b_enrich.store.campaigns import Candidate

log = structlog.get_logger(__name__)

CHORE = "campaigns"

HOUR = time(3)
"""When it begins, by the clock on the wall."""

START_SECONDS = 300.0
"""How long a pass that was missed waits after the start: bans may have queued up."""

LOOK_SECONDS = 900.0
"""The longest sleep: clocks are set, and machines are put to sleep themselves."""

RETRY_SECONDS = 600.0
"""The pause after a pass that failed: one may take a processor for two minutes."""

LONGEST_LULL = 10.0
"""Seconds that each part of a pass makes way for a rush of bans."""

PAGE_TRIES = 20_000
"""Tries that are read and judged at a time: 6 MB, a tenth of a second in Python."""

PAGE_ROWS = 100
"""Campaigns written at a time, some 10 ms."""


STEPS = 1_000_000
"""Steps of SQLite, some 20 ms, after which it asks whether to go on."""


class Nightly:
    """The pass of each night, at three o'clock; a missed one soon after the start."""

    def __init__(
        self,
        path: Path,
        commits: Commits,
        reads: Reads,
        *,
        now: Callable[[], datetime],
        wait: Callable[[float], Awaitable[object]],
        timezone: tzinfo | None,
    ) -> None:
        """Take the store's file, and where its commits and small reads are made.

        `wait` sleeps for so many seconds; a `timezone` of None is the machine's.
        """
        self._path = path
        self._commits = commits
        self._reads = reads
        self._now = now
        self._wait = wait
        self._timezone = timezone
        self._has_waited = False

    async def step(self) -> None:
        """Wait a while, or make a pass that is due."""
        seconds = await self._seconds_to_next()
        if seconds > 0:
            await self._wait(min(seconds, LOOK_SECONDS))
        elif not self._has_waited:
            await self._wait(START_SECONDS)
        else:
            await self._pass()
        self._has_waited = True

    async def _seconds_to_next(self) -> float:
        now = self._now()
        last = await self._reads.run(partial(chores.done_at, chore=CHORE))
        # One in the future was noted before the clock was set back: it tells nothing.
        if last is None or last > now:
            return 0.0
        return (next_night(last, self._timezone) - now).total_seconds()

    async def _pass(self) -> None:
        """Look for campaigns on a connection of its own: mail waits for none of it."""
        until = self._now()
        found = 0
        stopping = threading.Event()
        with open_reader(self._path) as connection:
            # A daemon that is told to stop would wait half a minute for the answer.
            connection.set_progress_handler(stopping.is_set, STEPS)
            reads = Reads(connection)
            try:
                since = await reads.run(partial(campaigns.begins, until=until))
                for scope in LEAST_NAMES:
                    search = _Search(scope, since, until)
                    found += await self._look(search, reads)
            finally:
                stopping.set()
                reads.close()
        await self._commits.submit(partial(chores.done, chore=CHORE, now=self._now()))
        log.info("campaigns looked for", found=found)

    async def _look(self, search: _Search, reads: Reads) -> int:
        await self._commits.lull(most=LONGEST_LULL)
        count = 0
        for page in pages(await reads.run(search.candidates)):
            await self._commits.lull(most=LONGEST_LULL)
            found = await reads.run(partial(search.judge, page=page))
            for start in range(0, len(found), PAGE_ROWS):
                some = found[start : start + PAGE_ROWS]
                await self._commits.submit(partial(_save, found=some, now=search.until))
            count += len(found)
        return count


class _Search:
    """What is asked of one scope, over the same time."""

    def __init__(self, scope: Scope, since: datetime, until: datetime) -> None:
        self.scope: Scope = scope
        self.since = since
        self.until = until

    def candidates(self, connection: sqlite3.Connection) -> tuple[Candidate, ...]:
        signs = Signs(
            bans=LEAST_BANS,
            names=LEAST_NAMES[self.scope],
            few=FEW_BANS,
            mostly=MOSTLY,
            split=0.0 if self.scope == "address" else SPLIT,
        )
        return campaigns.candidates(
            connection, self.scope, signs, since=self.since, until=self.until
        )

    def judge(
        self, connection: sqlite3.Connection, page: Sequence[str]
    ) -> tuple[Campaign, ...]:
        """Name those of them who do walk."""
        read = campaigns.tries(
            connection, self.scope, page, _try, since=self.since, until=self.until
        )
        found = (campaign(tries, scope=self.scope, who=who) for who, tries in read)
        return tuple(each for each in found if each is not None)


def _try(name: str, at: datetime, ban_id: str, ip: str) -> Try:
    return Try(name=name, at=at, ban_id=ban_id, ip=ip)


def _save(
    connection: sqlite3.Connection, found: Iterable[Campaign], *, now: datetime
) -> None:
    for each in found:
        campaigns.save(connection, each, now=now)


def pages(candidates: Iterable[Candidate]) -> Iterator[list[str]]:
    """Part candidates so that the tries of each page are few enough to read at once."""
    page: list[str] = []
    room = PAGE_TRIES
    for each in candidates:
        if page and each.tries > room:
            yield page
            page, room = [], PAGE_TRIES
        page.append(each.who)
        room -= each.tries
    if page:
        yield page


def next_night(after: datetime, timezone: tzinfo | None) -> datetime:
    """Tell when it is three o'clock next; a timezone of None is the machine's.

    Where that hour is left out it is an hour later, where it comes twice the first.
    """
    day = after.astimezone(timezone).date()
    while True:
        # Without a zone of its own it is a time of the machine's.
        night = datetime.combine(day, HOUR, tzinfo=timezone).astimezone(UTC)
        if night > after:
            return night
        day += timedelta(days=1)
