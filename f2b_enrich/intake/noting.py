"""Places that were reached in files, in the order in which they can be noted."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from f2b_enrich.intake.portions import follows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from f2b_enrich.intake.portions import Step


class Frontier:
    """Places in files that several read at once: none is noted before those before."""

    def __init__(self) -> None:
        """Begin at the beginnings of all files."""
        self._reached: dict[str, int] = {}
        self._waiting: dict[tuple[str, int], Step] = {}

    def reached(self, steps: Iterable[Step]) -> Iterator[Step]:
        """Give the steps that can be noted now, in order."""
        for step in steps:
            name = step.fingerprint
            if step.after is not None and self._reached.get(name) != step.after:
                self._waiting[name, step.after] = step
                continue
            following: Step | None = step
            while following is not None:
                if following.place:
                    yield following
                if following.until is None:
                    break
                self._reached[name] = following.until
                following = self._waiting.pop((name, following.until), None)


def together(steps: Iterable[Step]) -> list[Step]:
    """Make one step of those that follow each other in a log."""
    joined: list[Step] = []
    for step in steps:
        last = joined[-1] if joined else None
        if last is None or not follows(last, step):
            joined.append(step)
        else:
            joined[-1] = replace(
                last,
                place=step.place,
                found=last.found + step.found,
                packed=last.packed + step.packed,
            )
    return joined
