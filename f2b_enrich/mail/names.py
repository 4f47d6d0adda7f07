"""User names that somebody tried, as a mail shows them: they may be typed passwords."""

from __future__ import annotations

from typing import TYPE_CHECKING

from f2b_enrich import inert

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from f2b_enrich.model import TriedName

MOST = 12
LONGEST = 40
"""Where a name is cut, in characters."""


def listed(tried: Sequence[TriedName]) -> Iterator[str]:
    """Name the first of them, and count the others; accounts come first.

    Nobody may hide an account behind a dozen other names.
    """
    ordered = sorted(tried, key=lambda one: not one.is_account)
    for one in ordered[:MOST]:
        yield shown(one.name) + ("*" if one.is_account else "")
    more = len(ordered) - MOST
    if more > 0:
        yield f"{more:,} more"


def shown(name: str) -> str:
    """Shorten a name, and quote one that could be read for several."""
    clean = inert.without_secrets(inert.printable(name))
    return inert.listed(inert.cut(clean, LONGEST))
