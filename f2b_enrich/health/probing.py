"""Many looks at once, none of which may hold up the others."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from f2b_enrich.errors import F2bEnrichError
from f2b_enrich.health.links import unknown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from f2b_enrich.health.links import Link


def together(
    probes: Mapping[str, Callable[[], Iterable[Link]]], *, seconds: float
) -> tuple[Link, ...]:
    """Run all probes at the same time; give their links in the order of the probes.

    One that takes longer than so many seconds, or fails, is told as not known. Its
    thread is left to itself: most of what blocks cannot be interrupted.
    """
    found: dict[str, tuple[Link, ...]] = {}
    until = time.monotonic() + seconds
    threads = [
        threading.Thread(target=_run, args=(name, probe, found), daemon=True)
        for name, probe in probes.items()
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(until - time.monotonic(), 0))
    late = f"looking at it took longer than {seconds:g} s"
    done = dict(found)  # one that is late may still write to the other
    return tuple(
        link for name in probes for link in done.get(name, (unknown(name, late),))
    )


def _run(
    name: str,
    probe: Callable[[], Iterable[Link]],
    found: dict[str, tuple[Link, ...]],
) -> None:
    try:
        links = tuple(probe())
    except (F2bEnrichError, OSError) as exc:
        links = (unknown(name, str(exc)),)
    except Exception as exc:  # noqa: BLE001 - the other links are still to be told
        links = (
            unknown(name, f"the check failed oddly ({type(exc).__name__}: {exc})"),
        )
    found[name] = links
