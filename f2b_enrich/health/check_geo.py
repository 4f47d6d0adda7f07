"""Whether the local database answers, and how old its facts are."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from f2b_enrich.enrich.local import open_database
from f2b_enrich.errors import GeoError
from f2b_enrich.health.links import crit, ok, warn

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from f2b_enrich.health.links import Link

OLDEST_DAYS = 35
_UPDATE = "f2b-enrich geo update"


def links(
    file: Path | None, *, now: datetime, has_other_source: bool
) -> Iterator[Link]:
    """Say what the local database is worth.

    With `has_other_source`, IPinfo is asked first and misses little without it.
    """
    if file is None:
        yield _without("none is configured", "set geo.database", other=has_other_source)
        return
    try:
        with closing(open_database(file)) as database:
            kind, built_at = database.kind, database.built_at
    except FileNotFoundError:
        yield _without(f"{file} is not there", _UPDATE, other=has_other_source)
    except GeoError as exc:
        yield crit("geo", str(exc), f"remove it, then {_UPDATE}")
    else:
        days = (now - built_at).days
        told = f"{kind} database of {built_at:%Y-%m-%d}, {days} days old"
        if days > OLDEST_DAYS:
            yield warn("geo", f"{told} (limit {OLDEST_DAYS})", _UPDATE)
        else:
            yield ok("geo", told)


def _without(reason: str, cure: str, *, other: bool) -> Link:
    missed = "when IPinfo does not answer" if other else "alerts"
    text = f"no local database: {reason}; {missed} "
    text += "alerts lack" if other else "lack"
    return warn("geo", f"{text} country and network", cure)
