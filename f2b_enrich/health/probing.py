"""Many looks at once, none of which may hold up the others."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import TYPE_CHECKING, TypeVar

from f2b_enrich.errors import F2bEnrichError
from f2b_enrich.health.links import unknown

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable, Mapping

    from f2b_enrich.health.links import Link

Answer = TypeVar("Answer")


def together(
    probes: Mapping[str, Callable[[], Iterable[Link]]], *, seconds: float
) -> tuple[Link, ...]:
    """Run all probes at the same time; give their links in the order of the probes.

    What one does not know after so many seconds, or when it fails, is told as not
    known; what it found until then counts. Its thread is left to itself: most of what
    blocks cannot be interrupted.
    """
    runs = [_Run(name, probe) for name, probe in probes.items()]
    until = time.monotonic() + seconds
    for run in runs:
        run.thread.start()
    for run in runs:
        run.thread.join(max(until - time.monotonic(), 0))
    late = f"looking at it took longer than {seconds:g} s"
    return tuple(link for run in runs for link in run.so_far(late))


def until_done(asking: Coroutine[object, object, Answer]) -> Answer:
    """Run a coroutine to its end, and wait for nothing that it gave up.

    asyncio.run waits for the thread of a name server that does not answer.
    """
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(asking)
    finally:
        loop.close()


class _Run:
    """One probe in a thread of its own, and the links that it gave."""

    def __init__(self, name: str, probe: Callable[[], Iterable[Link]]) -> None:
        self._name = name
        self._probe = probe
        self._found: list[Link] = []
        self._is_done = False
        self.thread = threading.Thread(target=self._go, daemon=True)

    def so_far(self, late: str) -> list[Link]:
        """Give the links, with one that says `late` if more were to come."""
        is_done, found = self._is_done, [*self._found]
        return found if is_done else [*found, unknown(self._name, late)]

    def _go(self) -> None:
        try:
            for link in self._probe():
                self._found.append(link)
        except (F2bEnrichError, OSError) as exc:
            self._found.append(unknown(self._name, str(exc)))
        except Exception as exc:  # noqa: BLE001 - the other links are still to be told
            oddly = f"the check failed oddly ({type(exc).__name__}: {exc})"
            self._found.append(unknown(self._name, oddly))
        self._is_done = True
