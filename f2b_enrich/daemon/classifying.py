"""Bans on their way to being classed: soon after they arrived, never before."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

import structlog

from f2b_enrich.daemon.loops import first_of
from f2b_enrich.errors import StoreError
from f2b_enrich.store import classes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from f2b_enrich.daemon.analysis import Analysis, Shown
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
        self._is_announced = False
        self._arrived = asyncio.Event()

    def arrived(self) -> None:
        """Hear that a ban was recorded."""
        self._arrived.set()

    async def step(self) -> None:
        """Class some bans, or wait for one to arrive."""
        await self._commits.lull(most=LONGEST_LULL)
        if not self._is_announced:
            await self._announce()
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

    async def _announce(self) -> None:
        """Have the store know these rules and jails, in place of the last ones."""
        now = self._now()
        await self._commits.submit(lambda db: self._analysis.announce(db, now=now))
        self._is_announced = True

    async def now(self, ban_id: str) -> None:
        """Class one ban at once, before the others."""
        unread = await self._reads.run(partial(classes.one, ban_id=ban_id))
        if unread is not None:
            (failure,) = await self._class((unread,))
            if failure is not None:
                raise failure

    def _note(
        self, bans: Sequence[Unread], failures: Sequence[BaseException | None]
    ) -> None:
        """Pass over a ban that cannot be classed; if the store fails, raise that."""
        for ban, failure in zip(bans, failures, strict=True):
            if isinstance(failure, StoreError) and not failure.permanent:
                raise failure
            if failure is not None:
                log.warning("ban not classed", ban=ban.id, reason=repr(failure))

    async def _class(self, bans: Sequence[Unread]) -> Sequence[BaseException | None]:
        """Read and write bans, each for itself; tell why those failed that did."""
        # Hostile lines cost tens of milliseconds, in which no ban would be taken.
        shown = await asyncio.to_thread(self._show_each, bans)
        return await asyncio.gather(*map(self._save, bans, shown))

    def _show_each(self, bans: Sequence[Unread]) -> Sequence[Shown | Exception]:
        found: list[Shown | Exception] = []
        for ban in bans:
            try:
                found += self._analysis.show_all((ban,))
            except Exception as exc:  # noqa: BLE001 - the others can still be read
                found.append(exc)
        return found

    async def _save(
        self, ban: Unread, shown: Shown | Exception
    ) -> BaseException | None:
        if isinstance(shown, Exception):
            return shown
        write = partial(self._analysis.save, ban=ban, shown=shown, now=self._now())
        try:
            await self._commits.submit(write)
        except Exception as exc:  # noqa: BLE001 - the others can still be written
            return exc
        return None
