"""A data set as CSV and as JSON lines, with what its columns mean."""

from __future__ import annotations

import json
from types import MappingProxyType
from typing import TYPE_CHECKING

from f2b_enrich.report.anonymised import VERSION, Row
from f2b_enrich.store import data_set
from f2b_enrich.tables import csv_lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from f2b_enrich.report.anonymised import Anonymised

COLUMNS = MappingProxyType(
    {
        "country_code": "where the address is, two letters of ISO 3166",
        "region": "the part of the country, as the source of the place calls it",
        "city": "the city, as that source calls it",
        "asn": "the number of the network (autonomous system) that has the address",
        "date": "the day of the ban in UTC, or its month alone",
        "service": "what was attacked: ssh, mail, web, ftp, database, voip, dns, vpn, "
        "other",
    }
)
"""Each column of a row, and what it tells."""

_AT_ONCE = 64 * 1024
"""Characters written at a time."""


def csv_parts(found: Anonymised) -> Iterator[str]:
    """Write CSV with a heading, a ban in each row."""
    heading, *_ = csv_lines(Row._fields, ())
    yield f"{heading}\n"
    yield from _parts((_csv_line(row), bans) for row, bans in found.cells())


def _csv_line(row: Row) -> str:
    _, line = csv_lines(Row._fields, (row,))
    return line


def json_parts(found: Anonymised) -> Iterator[str]:
    """Write a JSON object for each ban, one in each line."""
    return _parts(
        (json.dumps(row._asdict(), ensure_ascii=False), bans)
        for row, bans in found.cells()
    )


def _parts(lines: Iterable[tuple[str, int]]) -> Iterator[str]:
    """Repeat lines as often as there are bans, in parts of some length.

    A part is written at once, and one line at a time would take many times as long.
    """
    part: list[str] = []
    size = 0
    for line, bans in lines:
        text = f"{line}\n"
        most = max(_AT_ONCE // len(text), 1)
        for begun in range(0, bans, most):
            part.append(text * min(most, bans - begun))
            size += len(part[-1])
            if size >= _AT_ONCE:
                yield "".join(part)
                part, size = [], 0
    yield "".join(part)


def write_sqlite(found: Anonymised, path: Path) -> None:
    """Write a database of its own, a ban in each row.

    Raises:
        OSError: it cannot be written.
    """
    about = {"version": str(VERSION), "least_addresses_of_a_row": str(found.least)}
    data_set.write(path, COLUMNS, about, found.cells())
