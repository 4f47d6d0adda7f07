"""How far a file was read, as the store remembers it."""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING

from f2b_enrich.importing.log_batches import Place
from f2b_enrich.importing.log_times import ClockPlace, YearsPlace

if TYPE_CHECKING:
    from collections.abc import Mapping
    from io import FileIO
    from typing import Any, TypeAlias

    Json: TypeAlias = Mapping[str, Any]

BEGINNING = 4096
"""Bytes by which a mailbox is known again, and as many before the place."""


def log_place(place: Place) -> dict[str, Any]:
    """Write down a place in a log."""
    clock = asdict(place.clock)
    last_at = place.clock.last_at
    clock["last_at"] = None if last_at is None else last_at.isoformat()
    return {"position": place.position, "clock": clock, "years": asdict(place.years)}


def read_log_place(place: Json) -> Place:
    """Read what `log_place` wrote."""
    clock = dict(place["clock"])
    if clock["last_at"] is not None:
        clock["last_at"] = datetime.fromisoformat(clock["last_at"])
    return Place(
        position=place["position"],
        clock=ClockPlace(**clock),
        years=YearsPlace(**place["years"]),
    )


def fingerprint_of_mailbox(file: FileIO) -> str:
    """Name a mailbox by how it begins: nothing is put before its first mail."""
    return _digest(file, 0, BEGINNING)


def mailbox_place(file: FileIO, position: int) -> dict[str, Any]:
    """Write down a place in a mailbox, with a mark of what lies before it."""
    return {"position": position, "mark": _mark(file, position)}


def is_still_there(file: FileIO, place: Json) -> bool:
    """Tell whether a place is where it was: no mail before it was taken out."""
    return _mark(file, place["position"]) == str(place["mark"])


def _mark(file: FileIO, position: int) -> str:
    start = max(position - BEGINNING, 0)
    return _digest(file, start, position - start)


def _digest(file: FileIO, start: int, size: int) -> str:
    file.seek(start)
    data = b""
    while len(data) < size and (piece := file.read(size - len(data))):
        data += piece
    return hashlib.sha256(data).hexdigest()
