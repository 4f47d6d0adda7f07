"""Addresses of old bans on their way to being known, whenever live ones leave time."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, replace
from datetime import UTC, timedelta
from functools import partial
from typing import TYPE_CHECKING

import structlog

from f2b_enrich.daemon.enriching import LONGEST_LULL, SWEEP_SECONDS
from f2b_enrich.daemon.loops import PAUSE_SECONDS, forever
from f2b_enrich.enrich.provider import NoRecordError
from f2b_enrich.errors import ProviderError
from f2b_enrich.model import start_of_day
from f2b_enrich.store import wishes

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from datetime import datetime

    from f2b_enrich.config import Settings
    from f2b_enrich.daemon.commits import Commits
    from f2b_enrich.daemon.reads import Reads
    from f2b_enrich.enrich.enricher import Enricher
    from f2b_enrich.model import Enrichment
    from f2b_enrich.store.wishes import OldBan

log = structlog.get_logger(__name__)

PAGE = 50
"""Bans written together: some 4 ms, for which a live ban may have to wait."""

SHORTEST_PAUSE = 0.005
"""Seconds between two pages, for other processes that write."""

SHARE = 0.25
"""What the pause behind a page is of the time it took: the processor is not ours."""

_TOP = 1 << 62
"""Beyond every row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """How long a look-up is fresh, and up to how many a day old bans are asked for."""

    fresh: timedelta
    until: int

    @classmethod
    def configured(cls, settings: Settings) -> Measure:
        """Read it from the settings."""
        fresh = timedelta(days=settings.enrich.cache_days)
        return cls(fresh=fresh, until=settings.ipinfo.imported_until)


class CatchingUp:
    """Look old bans up, in the local database at once, and everywhere in time."""

    def __init__(
        self,
        commits: Commits,
        reads: Reads,
        *,
        measure: Measure,
        live_done: Callable[[], Awaitable[None]],
        now: Callable[[], datetime],
        sweep_seconds: float = SWEEP_SECONDS,
        pause_seconds: float = PAUSE_SECONDS,
    ) -> None:
        """Take what is needed beside the sources.

        Args:
            commits: where is written.
            reads: where is read.
            measure: what the settings say.
            live_done: returns when no look-up of a live ban waits or is under way.
            now: the clock, in UTC.
            sweep_seconds: how often the store is looked into when all is done.
            pause_seconds: how long to wait after a failure of the store.
        """
        self._commits = commits
        self._reads = reads
        self._measure = measure
        self._live_done = live_done
        self._now = now
        self._sweep_seconds = sweep_seconds
        self._pause_seconds = pause_seconds
        self._after, self._before = 0, _TOP

    async def run(self, look: Enricher) -> None:
        """Look old bans up until cancelled."""
        pause = self._pause_seconds
        async with asyncio.TaskGroup() as group:
            steps = {"old bans here": self._place, "old bans": self._ask}
            for name, step in steps.items():
                group.create_task(forever(name, partial(step, look), pause=pause))

    async def _place(self, look: Enricher) -> None:
        """Look a page up in the local database, or wait for one."""
        # Without a database they wait, and cost not even a look into the store.
        page: tuple[OldBan, ...] = ()
        if look.can_place:
            page = await self._read(partial(wishes.to_place, after=self._after))
        if not page:
            self._after = 0
            await asyncio.sleep(self._sweep_seconds)
            return
        begun = time.monotonic()
        found, failure = await _placed(look, page)
        if failure is not None:
            # It may be about one of them alone: the others are not to wait for it.
            self._after = page[-1].row
            log.warning("look-ups of old bans put off", reason=str(failure))
        served = [ban for ban in page if ban.known is not None or ban.ip in found]
        if not served:
            await asyncio.sleep(self._sweep_seconds)
            return
        await self._commits.submit(partial(wishes.place, page=served, found=found))
        await asyncio.sleep(max(SHORTEST_PAUSE, SHARE * (time.monotonic() - begun)))

    async def _ask(self, look: Enricher) -> None:
        """Ask everybody about a page of addresses, or wait for another day."""
        left = await self._left() if look.has_others else 0
        page: tuple[OldBan, ...] = ()
        if left > 0:
            read = partial(wishes.to_ask, before=self._before)
            page = await self._read(read)
        if not page:
            self._before = _TOP
            await asyncio.sleep(self._sweep_seconds)
            return
        known = [ban for ban in page if ban.known is not None]
        if known:
            await self._commits.submit(partial(wishes.asked, page=known, found={}))
        await self._ask_each(look, [ban for ban in page if ban.known is None], left)
        await asyncio.sleep(SHORTEST_PAUSE)

    async def _ask_each(
        self, look: Enricher, page: Sequence[OldBan], left: int
    ) -> None:
        """Ask about the addresses of a page, one after another while any are left."""
        for ip in list(dict.fromkeys(ban.ip for ban in page))[:left]:
            bans = [ban for ban in page if ban.ip == ip]
            await self._live_done()
            answer = await _asked(look, ip)
            # One that is silent about a single address is not to stop the others.
            self._before = bans[0].row
            if isinstance(answer, ProviderError):
                log.info("look-ups of old bans put off", reason=str(answer))
                await asyncio.sleep(self._sweep_seconds)
                return
            found = {} if answer is None else {ip: answer}
            await self._commits.submit(partial(wishes.asked, page=bans, found=found))

    async def _left(self) -> int:
        """Tell how many look-ups of today may still be for old bans."""
        midnight = start_of_day(self._now(), UTC)
        most = self._measure.until
        read = partial(wishes.look_ups_since, at=midnight, most=most)
        return most - await self._reads.run(read)

    async def _read(
        self, page: Callable[..., tuple[OldBan, ...]]
    ) -> tuple[OldBan, ...]:
        await self._commits.lull(most=LONGEST_LULL)
        since = self._now() - self._measure.fresh
        return await self._reads.run(partial(page, since=since, limit=PAGE))


async def _placed(
    look: Enricher, page: Sequence[OldBan]
) -> tuple[dict[str, Enrichment], ProviderError | None]:
    """Look up what is not known; give the last failure, too, if there was one."""
    found: dict[str, Enrichment] = {}
    failure = None
    for ip in dict.fromkeys(ban.ip for ban in page if ban.known is None):
        try:
            found[ip] = await look.place(ip)
        except ProviderError as exc:
            failure = exc
        await asyncio.sleep(0)  # a ban may have come, which waits for nothing
    return found, failure


async def _asked(look: Enricher, ip: str) -> Enrichment | ProviderError | None:
    """Give what is known; None where that is nothing, an error if nobody said so."""
    try:
        report = await look.report(ip)
    except NoRecordError:
        return None
    except ProviderError as exc:
        return exc
    if report.is_final:
        # Who answered and has no record need not be asked again either.
        return replace(report.enrichment, complete=True)
    told = "; ".join(str(failure.error) for failure in report.failures)
    return ProviderError(told, retryable=True)
