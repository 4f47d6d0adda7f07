"""Which lines of a ban try names in the order of the alphabet."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from f2b_enrich.classify.matching import Matched

NAME_ORDER_RULE = "user-name-enumeration-by-order"
"""The name by which this stands beside the rules of rules.toml."""

MANY_NAMES = 6
"""So many names, each after the last one, come by chance once in 720 times."""


def in_name_order(lines: Sequence[Matched]) -> frozenset[int]:
    """Give the places of lines whose names go through the alphabet upwards.

    A name may be tried again before the next one. None are given when these names
    are less than half of all: long lists of guesses rise here and there.
    """
    names = [
        (place, value.casefold())
        for place, line in enumerate(lines)
        for kind, value in line.values
        if kind == "username"
    ]
    rising = [run for run in _rising(names) if len(_distinct(run)) >= MANY_NAMES]
    places = [item for run in rising for item in run]
    if 2 * len(_distinct(places)) < len(_distinct(names)):
        return frozenset()
    return frozenset(place for place, _ in places)


def _rising(names: Sequence[tuple[int, str]]) -> Iterator[list[tuple[int, str]]]:
    """Split the names, each with its line's place, where they fall."""
    run: list[tuple[int, str]] = []
    for place, name in names:
        if run and name < run[-1][1]:
            yield run
            run = []
        run.append((place, name))
    yield run


def _distinct(names: Sequence[tuple[int, str]]) -> set[str]:
    return {name for _, name in names}
