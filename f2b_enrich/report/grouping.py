"""Columns of numbers put into groups: by one thing or by two, counted and named."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from f2b_enrich.report.part import Pair

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Numbers: TypeAlias = NDArray[np.int64]


def pairs(one: Numbers, two: Numbers, count: int) -> tuple[Numbers, Numbers, Numbers]:
    """Give each pair there is, once, and how often; `two` is below `count`."""
    keys, found = np.unique(one * count + two, return_counts=True)
    return keys // count, keys % count, found


def counted(numbers: Numbers) -> zip[tuple[int, int]]:
    """Give each number there is, once, and how often."""
    found, counts = np.unique(numbers, return_counts=True)
    return zip(found.tolist(), counts.tolist(), strict=True)


def sums(keys: Numbers, weights: Numbers) -> Numbers:
    """Add up by key; what `bincount` adds is exact up to 2**53."""
    return np.bincount(keys, weights=weights).astype(np.int64)


def lists(columns: tuple[Numbers, ...]) -> tuple[list[int], ...]:
    """Give the numbers as Python has them, which are faster one by one."""
    return tuple(column.tolist() for column in columns)


def numbered(names: Sequence[Any]) -> tuple[list[Any], Numbers]:
    """Give the names once each, and of each place in the list the number of its."""
    numbers: dict[Any, int] = {}
    found = [numbers.setdefault(name, len(numbers)) for name in names]
    return list(numbers), np.array(found, np.int64)


def named(names: Sequence[Any], counts: Numbers) -> Counter[Any]:
    """Give what there is of each name, but for those of which there is none."""
    (there,) = np.nonzero(counts)
    found = zip(there.tolist(), counts[there].tolist(), strict=True)
    return Counter({names[number]: count for number, count in found})


def named_pair(names: Sequence[Any], once: Numbers, every: Numbers) -> Pair:
    """Count things that each address has once, and those that each ban has."""
    return Pair(
        addresses=named(names, np.bincount(once)),
        bans=named(names, np.bincount(every)),
    )


def weighted(names: Sequence[Any], things: Numbers, bans: Numbers) -> Pair:
    """Count addresses, each of one thing and so many bans, by the things' names."""
    return Pair(
        addresses=named(names, np.bincount(things)),
        bans=named(names, sums(things, bans)),
    )
