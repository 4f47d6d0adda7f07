"""Bans on their way to being classed: soon after they arrived, never before."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

import structlog

from f2b_enrich.daemon.loops import first_of
from f2b_enrich.errors import StoreError
from f2b_enrich.store import classes, jails

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from f2b_enrich.daemon.analysis import Analysis
    from f2b_enrich.daemon.commits import Commits
    from f2b_enrich.daemon.reads import Reads
    from f2b_enrich.store.classes import Unread

log = structlog.get_logger(__name__)

PAGE = 50
"""Bans read and written together: at most 3 MiB of lines, some 10 ms as a rule."""

SWEEP_SECONDS = 300.0
"""How often to look although nothing was heard: an import may have brought bans."""

LONGEST_LULL = 2.0
"""Seconds that this makes way for a rush of bans."""


class Classifying:
    """Class the bans that never were, in the order of arrival."""

    def __init__(
        self,
        analysis: Analysis,
        commits: Commits,
        reads: Reads,
        *,
        now: Callable[[], datetime],
        sweep_seconds: float = SWEEP_SECONDS,
    ) -> None:
        self._analysis = analysis
        self._commits = commits
        self._reads = reads
        self._now = now
        self._sweep_seconds = sweep_seconds
        self._after = 0
        self._jails_are_told = False
        self._arrived = asyncio.Event()
        # The rules serve one thread at a time.
        self._reading = asyncio.Lock()

    def arrived(self) -> None:
        """Hear that a ban was recorded."""
        self._arrived.set()

    async def step(self) -> None:
        """Class some bans, or wait for one to arrive."""
        await self._commits.lull(most=LONGEST_LULL)
        if not self._jails_are_told:
            await self._tell_jails()
        self._arrived.clear()
        page = await self._reads.run(
            partial(classes.not_classed, after=self._after, limit=PAGE)
        )
        if page:
            self._note(page, await self._class(page))
            self._after = page[-1].row
        else:
            # From the first on: one may have failed, or got its lines since.
            self._after = 0
            await first_of(self._arrived, seconds=self._sweep_seconds)

    async def _tell_jails(self) -> None:
        """Write what these files know of jails, in place of what the last ones did."""
        analysis = self._analysis
        await self._commits.submit(
            partial(
                jails.refresh, names=analysis.jail_names(), know=analysis.known_jail
            )
        )
        self._jails_are_told = True

    async def now(self, ban_id: str) -> None:
        """Class one ban at once, before the others."""
        unread = await self._reads.run(partial(classes.one, ban_id=ban_id))
        if unread is not None:
            (failure,) = await self._class((unread,))
            if failure is not None:
                raise failure

    def _note(
        self, bans: Sequence[Unread], outcomes: Sequence[BaseException | None]
    ) -> None:
        """Pass over a ban that cannot be written; if the store cannot, raise that."""
        for ban, failure in zip(bans, outcomes, strict=True):
            if isinstance(failure, StoreError) and failure.permanent:
                log.warning("ban not classed", ban=ban.id, reason=str(failure))
            elif failure is not None:
                raise failure

    async def _class(self, bans: Sequence[Unread]) -> Sequence[BaseException | None]:
        async with self._reading:
            # Hostile lines cost tens of milliseconds, in which no ban would be taken.
            shown = await asyncio.to_thread(self._analysis.show_all, bans)
        writes = (
            partial(self._analysis.save, ban=ban, shown=each, now=self._now())
            for ban, each in zip(bans, shown, strict=True)
        )
        outcomes = await asyncio.gather(
            *map(self._commits.submit, writes), return_exceptions=True
        )
        return [
            outcome if isinstance(outcome, BaseException) else None
            for outcome in outcomes
        ]
