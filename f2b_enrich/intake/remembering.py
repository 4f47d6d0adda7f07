"""What the store remembers of files that were read, so that nothing counts twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from f2b_enrich.store import found, imports

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping
    from datetime import datetime
    from typing import Any

    from f2b_enrich.intake.portions import Step


def reached(
    connection: sqlite3.Connection, kind: str, host: str
) -> dict[str, Mapping[str, Any]]:
    """Give the places that were reached in files of a kind, by their fingerprints."""
    places: dict[str, Mapping[str, Any]] = imports.places(connection, kind, host)
    return places


def remember(connection: sqlite3.Connection, step: Step, *, now: datetime) -> None:
    """Note a place and what counts only with it, inside the caller's transaction."""
    found.add(connection, step.found.items())
    imports.note(
        connection,
        kind=step.kind,
        host=step.host,
        fingerprint=step.fingerprint,
        name=step.name,
        place=step.place,
        now=now,
    )
