"""Addresses on their way to being known: each looked up once, however many bans."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

import structlog

from f2b_enrich.daemon.loops import first_of, forever
from f2b_enrich.errors import ProviderError
from f2b_enrich.store import enrichments, outbox

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

    from f2b_enrich.daemon.commits import Commits, Reads
    from f2b_enrich.enrich.enricher import Enricher
    from f2b_enrich.store.enrichments import Waiting

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
        self, commits: Commits, reads: Reads, *, changed: Callable[[], None]
    ) -> None:
        self._commits = commits
        self._reads = reads
        self._changed = changed
        self._waiting: dict[str, None] = {}
        self._under_way: set[str] = set()
        self._arrived = asyncio.Event()
        self._room = asyncio.Event()
        self._sweep = asyncio.Event()

    def ask(self, ip: str) -> None:
        """Have an address looked up soon."""
        if ip in self._under_way:
            return
        if len(self._waiting) < MOST_WAITING:
            self._waiting[ip] = None
            self._arrived.set()
        else:
            self._sweep.set()

    async def run(self, enricher: Enricher) -> None:
        """Look addresses up until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(forever("sweep", self._sweep_once))
            for _ in range(AT_ONCE):
                group.create_task(forever("look-up", lambda: self._next(enricher)))

    async def _next(self, enricher: Enricher) -> None:
        while not self._waiting:
            self._arrived.clear()
            await self._arrived.wait()
        await self._commits.lull(most=LONGEST_LULL)
        ip = next(iter(self._waiting))
        del self._waiting[ip]
        if len(self._waiting) <= PAGE:
            self._room.set()
        self._under_way.add(ip)
        try:
            found = await enricher.look_up(ip)
            await self._commits.submit(lambda db: enrichments.save(db, found))
            self._changed()
        except ProviderError as exc:
            log.warning("look-up failed", ip=ip, reason=str(exc))
            await self._commits.submit(lambda db: outbox.stop_waiting(db, ip))
            self._changed()
        finally:
            self._under_way.discard(ip)

    async def _sweep_once(self) -> None:
        """Ask for what the store still lacks, a page at a time."""
        self._sweep.clear()
        after, more = 0, True
        while more:
            page = await self._reads.run(partial(_page, after=after))
            for ban in page:
                self.ask(ban.ip)
                after = ban.row
            more = bool(page)
            await self._until_there_is_room()
        await first_of(self._sweep, seconds=SWEEP_SECONDS)

    async def _until_there_is_room(self) -> None:
        while len(self._waiting) > PAGE:
            self._room.clear()
            await self._room.wait()


def _page(connection: sqlite3.Connection, *, after: int) -> tuple[Waiting, ...]:
    return enrichments.waiting(connection, after=after, limit=PAGE)
