"""How a loop runs beside other work, and outlives its own errors."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

import structlog

from f2b_enrich.errors import F2bEnrichError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine

log = structlog.get_logger(__name__)

PAUSE_SECONDS = 5.0


async def forever(
    name: str,
    step: Callable[[], Awaitable[None]],
    *,
    until: asyncio.Event | None = None,
    pause: float = PAUSE_SECONDS,
) -> None:
    """Run `step` over and over; after one that fails there is a pause."""
    until = until or asyncio.Event()
    failures = 0
    while not until.is_set():
        try:
            await step()
        except F2bEnrichError as exc:
            failures += 1
            log.warning("loop failed", loop=name, failures=failures, reason=str(exc))
            await first_of(until, seconds=pause)
        except Exception:  # the one place where anything may have gone wrong
            failures += 1
            log.exception("loop failed", loop=name, failures=failures)
            await first_of(until, seconds=pause)


async def first_of(*events: asyncio.Event, seconds: float | None = None) -> None:
    """Wait until one of the events is set or the time is up."""
    waits = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
        await asyncio.gather(*waits, return_exceptions=True)


@contextlib.asynccontextmanager
async def beside(work: Coroutine[None, None, None]) -> AsyncIterator[None]:
    """Run beside the block, cancelled at its end."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])
