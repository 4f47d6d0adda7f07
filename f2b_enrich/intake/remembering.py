"""What the store remembers of files that were read, so that nothing counts twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from f2b_enrich.store import found, imports
from f2b_enrich.store.found import FoundOn
from f2b_enrich.store.imports import Import

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping
    from datetime import datetime
    from typing import Any

    from f2b_enrich.intake.portions import Step

_OF = " of "
"""Behind it stands the host: as another's, the same file tells of other bans."""


def reached(
    connection: sqlite3.Connection, kind: str, host: str
) -> dict[str, Mapping[str, Any]]:
    """Give the places that were reached in files of a kind, by their fingerprints."""
    places = {}
    for noted in imports.every(connection):
        fingerprint, _, of_host = noted.read.fingerprint.partition(_OF)
        if noted.read.kind == kind and of_host == host:
            places[fingerprint] = noted.read.place
    return places


def remember(connection: sqlite3.Connection, step: Step, *, now: datetime) -> None:
    """Note a place and what counts only with it, inside the caller's transaction."""
    read = Import(
        kind=step.kind,
        fingerprint=f"{step.fingerprint}{_OF}{step.host}",
        name=step.name,
        place=step.place,
    )
    number = imports.note(connection, read, now=now)
    if step.found:
        lines = {FoundOn(*key): count for key, count in step.found.items()}
        found.add(connection, number, lines)
