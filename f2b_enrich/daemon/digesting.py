"""Digests, from the time that they are due to the mail that is queued."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

import structlog

from f2b_enrich.daemon.digests_due import begin, due
from f2b_enrich.store import digests, filling
from f2b_enrich.store.digests import MOST_BANS

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Awaitable, Callable
    from datetime import datetime

    from f2b_enrich.daemon.commits import Commits
    from f2b_enrich.daemon.digests_due import Plan
    from f2b_enrich.daemon.reads import Reads
    from f2b_enrich.store.filling import Unfilled

log = structlog.get_logger(__name__)

LOOK_SECONDS = 15.0
LONGEST_LULL = 10.0
"""Seconds that each part makes way for a rush of bans."""

AT_ONCE = 1000
"""Alerts folded in a transaction, some 20 ms in which no ban is taken."""


class Digesting:
    """Queue the digests that are due, and fold what is held into them.

    They are filled a part at a time, beside the bans that arrive. A daemon that was
    killed in the middle goes on where it was.
    """

    def __init__(
        self,
        plan: Plan,
        commits: Commits,
        reads: Reads,
        *,
        now: Callable[[], datetime],
        queued: Callable[[], None],
        look_seconds: float = LOOK_SECONDS,
        wait: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        """Take the plan and the store; `queued` hears that a mail is due.

        It waits `look_seconds` at most from one look at the clock to the next.
        """
        self._plan = plan
        self._commits = commits
        self._reads = reads
        self._now = now
        self._queued = queued
        self._look_seconds = look_seconds
        self._wait = wait

    async def step(self) -> None:
        """Make what is due now, then wait for the next."""
        await self._commits.lull(most=LONGEST_LULL)
        for begun in await self._reads.run(filling.unfilled):
            await self._fill(begun)
        now = self._now()
        found = await self._reads.run(partial(due, plan=self._plan, now=now))
        if found.is_any_ahead:
            await self._commits.submit(partial(filling.bring_back, now=now))
        for wanted in found.wanted:
            await self._commits.lull(most=LONGEST_LULL)
            make = partial(begin, wanted=wanted, plan=self._plan, now=self._now())
            made = await self._commits.submit(make)
            if made is not None:
                await self._fill(made)
        if self._plan.schedule.is_empty:
            await self._leave_out()
        await self._wait(self._seconds_to_next(now))

    def _seconds_to_next(self, now: datetime) -> float:
        following = self._plan.schedule.following(now, self._plan.timezone)
        if following is None:
            return self._look_seconds
        return min(self._look_seconds, max((following - now).total_seconds(), 0.0))

    async def _fill(self, begun: Unfilled) -> None:
        bans = await self._reads.run(partial(filling.count, into=begun.id))
        is_whole = False
        while not is_whole:
            await self._commits.lull(most=LONGEST_LULL)
            part = partial(fill_some, begun=begun, bans=bans, now=self._now())
            folded, is_whole = await self._commits.submit(part)
            bans += folded
        # One alert a recipient was folded; the digest names each ban once.
        bans = await self._reads.run(partial(filling.count, into=begun.id))
        kind = begun.period.kind
        log.info("digest queued", kind=kind, to=begun.recipient, bans=bans)
        self._queued()

    async def _leave_out(self) -> None:
        while True:
            await self._commits.lull(most=LONGEST_LULL)
            some = partial(filling.leave_out, limit=AT_ONCE)
            count = await self._commits.submit(some)
            if count:
                log.info("bans in no digest: none is configured", count=count)
            if count < AT_ONCE:
                return


def fill_some(
    connection: sqlite3.Connection, *, begun: Unfilled, bans: int, now: datetime
) -> tuple[int, bool]:
    """Fold a part of what is held into a digest that has `bans`; tell if it is whole.

    What is more than one digest holds waits for the next. One that is whole is due,
    unless it has nothing to tell.
    """
    limit = max(min(AT_ONCE, MOST_BANS - bans), 0)
    folded = filling.fold_some(
        connection,
        begun.id,
        recipient=None if begun.takes_all else begun.recipient,
        only_braked=begun.period.kind == "flood",
        limit=limit,
    )
    is_whole = folded < AT_ONCE or bans + folded >= MOST_BANS
    if not is_whole:
        return folded, False
    if bans + folded or _tells_besides(connection, begun):
        filling.finish(connection, begun.id, now=now)
    else:
        filling.give_up(connection, begun.id)
    return folded, True


def _tells_besides(connection: sqlite3.Connection, begun: Unfilled) -> bool:
    """Tell whether a digest that names no ban has anything to say."""
    has_bans = filling.has_bans(connection, begun.period)
    return has_bans or bool(digests.came_back(connection, begun.id))
