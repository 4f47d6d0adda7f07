"""The first of very many, with all that are tied with the last of them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

Key = TypeVar("Key")

MOST_TIED = 100
"""So many tied with the last are listed; of more it is told how many they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed(Generic[Key]):
    """What is listed, each with its rank and value, and how many are tied behind it.

    `tied` is rank, count and value.
    """

    ranked: tuple[tuple[int, Key, int], ...]
    tied: tuple[int, int, int] | None


@dataclass(slots=True, kw_only=True)
class Tops(Generic[Key]):
    """What may be among the first, and how often each value is there in all.

    Those of several parts add up, where nothing is in two of them.
    """

    kept: dict[Key, int] = field(default_factory=dict)
    values: Counter[int] = field(default_factory=Counter)

    def add(self, other: Tops[Key]) -> None:
        """Take another part in."""
        self.kept.update(other.kept)
        self.values.update(other.values)

    def listed(self, top: int, names: Mapping[Key, str]) -> Listed[Key]:
        """List the first `top`; what is equal goes by its name."""
        last = _nth(self.values, top)
        if last is None:
            return Listed(ranked=(), tied=None)
        is_long = self.values[last] > max(MOST_TIED, top)
        before = sum(count for value, count in self.values.items() if value > last)
        shown = [
            (key, value)
            for key, value in self.kept.items()
            if value > last or (value == last and not is_long)
        ]
        shown.sort(key=lambda one: (-one[1], names[one[0]].casefold(), str(one[0])))
        return Listed(
            ranked=_with_ranks(shown),
            tied=(before + 1, self.values[last], last) if is_long else None,
        )


def tops(counts: NDArray[np.int64], top: int, *, least: int = 1) -> Tops[int]:
    """Keep the places of what may be among the first `top`, with their values.

    What is under `least` does not count.
    """
    found, many = np.unique(counts[counts >= least], return_counts=True)
    values = Counter(dict(zip(found.tolist(), many.tolist(), strict=True)))
    last = _nth(values, top)
    if last is None:
        return Tops()
    if values[last] > max(MOST_TIED, top):
        last += 1
    (places,) = np.nonzero(counts >= last)
    kept = dict(zip(places.tolist(), counts[places].tolist(), strict=True))
    return Tops(kept=kept, values=values)


def tops_of(counts: Mapping[Key, int], top: int, *, least: int = 1) -> Tops[Key]:
    """Keep what may be among the first of a few."""
    keys = list(counts)
    found = tops(np.fromiter(counts.values(), np.int64, len(keys)), top, least=least)
    kept = {keys[place]: value for place, value in found.kept.items()}
    return Tops(kept=kept, values=found.values)


def _nth(values: Counter[int], top: int) -> int | None:
    """Give the value at a place, or the least if there are fewer."""
    seen = 0
    for value in sorted(values, reverse=True):
        seen += values[value]
        if seen >= top:
            return value
    return min(values, default=None)


def _with_ranks(shown: Iterable[tuple[Key, int]]) -> tuple[tuple[int, Key, int], ...]:
    ranked: list[tuple[int, Key, int]] = []
    for place, (key, value) in enumerate(shown, start=1):
        is_equal = ranked and ranked[-1][2] == value
        ranked.append((ranked[-1][0] if is_equal else place, key, value))
    return tuple(ranked)
