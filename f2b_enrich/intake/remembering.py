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
    from f2b_enrich.store.imports import NotedImport

_OF = " of "
"""Behind it stands the host: as another's, the same file tells of other bans."""


def reached(
    connection: sqlite3.Connection, kind: str, host: str
) -> dict[str, Mapping[str, Any]]:
    """Give the places that were reached in files of a kind, by their fingerprints."""
    of_host = f"{_OF}{host}"  # a path may hold the words as well
    return {
        noted.read.fingerprint.removesuffix(of_host): noted.read.place
        for noted in imports.every(connection)
        if noted.read.kind == kind and noted.read.fingerprint.endswith(of_host)
    }


def remember(
    connection: sqlite3.Connection, step: Step, *, now: datetime
) -> int | None:
    """Note a place and what counts only with it, inside the caller's transaction.

    Gives the number of the import, None where the place stays.

    Another import may read the same log at once. Only that counts what was found which
    begins where the other came to; else the place stays, and what is not counted is
    behind it, for the other or for the next run.
    """
    fingerprint = f"{step.fingerprint}{_OF}{step.host}"
    noted = imports.find(connection, step.kind, fingerprint)
    if step.start is not None and not _goes_on(noted, step):
        return None
    if noted and step.instead is not None:
        found.forget(connection, noted.id)
    read = Import(
        kind=step.kind,
        fingerprint=fingerprint,
        name=step.name,
        place=step.place,
    )
    number = imports.note(connection, read, now=now)
    lines = {FoundOn(*key): count for key, count in step.all_found().items()}
    if lines:
        found.add(connection, number, lines)
    return number


def _goes_on(noted: NotedImport | None, step: Step) -> bool:
    if noted is None:
        return step.start == 0
    if step.instead is not None:
        return bool(noted.read.place.get("mark") == step.instead)
    return bool(noted.read.place["position"] == step.start)
