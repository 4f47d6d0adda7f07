"""Addresses on their way to being known: each looked up once, however many bans."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

import structlog

from f2b_enrich.daemon.loops import PAUSE_SECONDS, first_of, forever
from f2b_enrich.errors import ProviderError
from f2b_enrich.store import enrichments, outbox

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

    from f2b_enrich.daemon.commits import Commits
    from f2b_enrich.enrich.enricher import Enricher

log = structlog.get_logger(__name__)

AT_ONCE = 8
"""Look-ups under way at the same time."""

MOST_WAITING = 10_000
"""Addresses kept in memory; what comes on top is found in the store later."""

SWEEP_SECONDS = 300.0
"""How often the store is asked for addresses whose look-up failed or was lost."""

PAGE = 500

LONGEST_LULL = 2.0
"""Seconds that a look-up makes way for a rush of bans."""


class LookUps:
    """The addresses to look up: those of live bans at once, older ones in sweeps."""

    def __init__(
        self,
        commits: Commits,
        *,
        changed: Callable[[], None],
        most_waiting: int = MOST_WAITING,
        sweep_seconds: float = SWEEP_SECONDS,
        pause_seconds: float = PAUSE_SECONDS,
    ) -> None:
        self._commits = commits
        self._changed = changed
        self._most_waiting = most_waiting
        self._sweep_seconds = sweep_seconds
        self._pause_seconds = pause_seconds
        self._waiting: dict[str, None] = {}
        self._under_way: set[str] = set()
        self._failures = 0
        self._after = 0
        self._arrived = asyncio.Event()
        self._room = asyncio.Event()
        self._sweep = asyncio.Event()
        self._idle = asyncio.Event()

    def ask(self, ip: str) -> None:
        """Have an address looked up soon."""
        if ip in self._under_way:
            return
        if len(self._waiting) < self._most_waiting:
            self._waiting[ip] = None
            self._arrived.set()
        else:
            self._sweep.set()

    async def until_idle(self) -> None:
        """Return when no look-up waits or is under way."""
        while self._waiting or self._under_way:
            self._idle.clear()
            await self._idle.wait()

    async def run(self, enricher: Enricher) -> None:
        """Look addresses up until cancelled."""
        self._failures = self._after = 0
        pause = self._pause_seconds
        async with asyncio.TaskGroup() as group:
            group.create_task(forever("sweep", self._sweep_once, pause=pause))
            for _ in range(AT_ONCE):
                group.create_task(
                    forever("look-up", lambda: self._next(enricher), pause=pause)
                )

    async def _next(self, enricher: Enricher) -> None:
        ip = await self._chosen()
        self._under_way.add(ip)
        try:
            found = await enricher.look_up(ip)
        except ProviderError as exc:
            log.warning("look-up failed", ip=ip, reason=str(exc))
            self._failures += 1
            await self._note(lambda db: outbox.stop_waiting(db, ip))
        else:
            if self._are_failing():
                self._sweep.set()
            self._failures = 0
            await self._note(lambda db: enrichments.save(db, found))
        finally:
            self._under_way.discard(ip)
            if not self._under_way:
                self._idle.set()
        self._changed()

    async def _chosen(self) -> str:
        """Take the next address, when bans leave time for it."""
        await self._commits.lull(most=LONGEST_LULL)
        while not self._waiting:  # another look-up may have taken it meanwhile
            self._arrived.clear()
            await self._arrived.wait()
            await self._commits.lull(most=LONGEST_LULL)
        ip = next(iter(self._waiting))
        del self._waiting[ip]
        if len(self._waiting) <= PAGE:
            self._room.set()
        return ip

    async def _note(self, write: Callable[[sqlite3.Connection], None]) -> None:
        """Commit what came of a look-up, however long the store is locked.

        It may have cost one of a day's thousand, so it is not made again.
        """
        await self._commits.insist(write, of="look-up", pause=self._pause_seconds)

    def _are_failing(self) -> bool:
        return self._failures >= AT_ONCE

    async def _sweep_once(self) -> None:
        """Ask for what the store still lacks; while all fails only for a few.

        A sweep that ends early is taken up where it ended.
        """
        self._sweep.clear()
        more = True
        while more:
            limit = AT_ONCE if self._are_failing() else PAGE
            # In line with the writes, so that no address is asked for whose look-up
            # was saved since the page was read.
            page = await self._commits.submit(
                partial(enrichments.waiting, after=self._after, limit=limit)
            )
            for ban in page:
                self.ask(ban.ip)
            self._after = page[-1].row if page else 0
            await self._until_there_is_room()
            more = bool(page) and not self._are_failing()
        if self._after:
            log.info("look-ups put off, no source answers")
        await first_of(self._sweep, seconds=self._sweep_seconds)

    async def _until_there_is_room(self) -> None:
        while len(self._waiting) > PAGE:
            self._room.clear()
            await self._room.wait()
