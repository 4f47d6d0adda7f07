"""A walk through user names over many bans, in the words of a mail."""

from __future__ import annotations

from typing import TYPE_CHECKING

from f2b_enrich.mail import names, wording

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import tzinfo

    from f2b_enrich.model import Campaign


def pieces(walk: Campaign, zone: tzinfo | None) -> Iterator[str]:
    """Say who walks, through how many names, since when: it may break between these."""
    order = " in the order of the alphabet" if walk.in_order else ""
    yield f"{walk.who} walks through user names{order}:"
    yield wording.counted(walk.names, "name")
    # Else the two say nothing of those between them, or the first was purged.
    if walk.in_order and walk.first_name:
        yield f"({names.shown(walk.first_name)} to {names.shown(walk.last_name)})"
    yield f"in {wording.counted(walk.bans, 'ban')}"
    if walk.scope != "address":
        ending = "" if walk.addresses == 1 else "es"
        yield f"of {walk.addresses:,} address{ending}"
    yield _when(walk, zone)


def _when(walk: Campaign, zone: tzinfo | None) -> str:
    first, last = (wording.day(when, zone) for when in (walk.first_at, walk.last_at))
    return f"on {first}" if first == last else f"since {first}, last {last}"
