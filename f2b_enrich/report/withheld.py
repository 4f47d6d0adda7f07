"""Which numbers of a table are told, so that small ones cannot be worked out either."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

T = TypeVar("T")


def told(
    rows: Iterable[T], size: Callable[[T], int], *, total: int, least: int
) -> list[T]:
    """Give the rows of `least` or more, in their order.

    Whoever knows the total sees what they lack of it, or by how much they exceed it as
    some are in several. Is that less than `least`, the smallest of them go as well.
    """
    kept = [row for row in rows if size(row) >= least]
    lacking = total - sum(map(size, kept))
    while kept and 0 < abs(lacking) < least:
        # Of several the last one: that is the one least told of.
        smallest = min(reversed(kept), key=size)
        kept.remove(smallest)
        lacking += size(smallest)
    return kept


def numbers(counts: Sequence[int], *, least: int) -> list[int | None]:
    """Give counts whose sum is known; None are those that are not told, never a 0.

    Which of the others go as well is a matter of their place: none of those told would
    be less than the smallest, and so 4 is all that 14 leave beside a 10 of [4, 10, 10].
    """
    shown = [place for place, count in enumerate(counts) if count >= least]
    lacking = sum(counts) - sum(counts[place] for place in shown)
    while shown and 0 < lacking < least:
        lacking += counts[shown.pop()]
    return [
        count if not count or place in shown else None
        for place, count in enumerate(counts)
    ]
