"""Full-text search over log lines, those that wait for the index among them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from f2b_enrich.model import read_time, time_text

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator
    from datetime import datetime

MOST_WORDS = 32
LONGEST_TEXT = 1000
"""FTS5 gives up on deep queries, and a log line has not many more words."""

COLUMNS = ("banned_at", "host", "jail", "ip", "ban_id", "position", "line")

# A phrase in quotes or a word; `*` behind it stands for any further letters.
_TERM = re.compile(r'"(?P<phrase>[^"]+)"(?P<more>\*?)|(?P<word>\S+)')
_APART = re.compile(r"[\W_]")

_FOUND = """
    WITH found AS (
        SELECT rowid AS id FROM log_lines_fts WHERE log_lines_fts MATCH ?
        UNION ALL
        SELECT id FROM log_lines
        WHERE id > (SELECT ifnull(max(id), 0) FROM log_lines_fts_docsize) AND {recent}
    )
    SELECT {columns} FROM found
    JOIN log_lines ON log_lines.id = found.id
    JOIN bans ON bans.id = log_lines.ban_id
    WHERE {conditions}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class LineQuery:
    """Which lines are wanted: of bans from `since` to before `until`, with all terms.

    A term is a word or a phrase, and may end in `*`.
    """

    terms: tuple[str, ...]
    since: datetime | None = None
    until: datetime | None = None
    jails: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundLine:
    """A log line and the ban it belongs to."""

    banned_at: datetime
    host: str
    jail: str
    ip: str
    ban_id: str
    position: int
    line: str


def read_terms(text: str) -> tuple[str, ...]:
    """Take the words, and the phrases in quotes, out of what somebody typed.

    Marks between words only part them, as in the index.

    Raises:
        ValueError: there is no letter or digit in it, or too much of everything.
    """
    if len(text) > LONGEST_TEXT:
        raise ValueError(f"{len(text)} characters, the limit is {LONGEST_TEXT}")
    terms = tuple(filter(_has_letters, map(_term, _TERM.finditer(text))))
    if not terms:
        raise ValueError("no letter or digit to look for")
    if len(terms) > MOST_WORDS:
        raise ValueError(f"{len(terms)} words, the limit is {MOST_WORDS}")
    return terms


def _term(match: re.Match[str]) -> str:
    phrase = match["phrase"]
    return match["word"] if phrase is None else f"{phrase}{match['more']}"


def _has_letters(term: str) -> bool:
    return any(map(str.isalnum, term))


def found_rows(
    connection: sqlite3.Connection, wanted: LineQuery, *, limit: int | None = None
) -> Iterator[sqlite3.Row]:
    """Read the columns `COLUMNS` as they are asked for, newest ban and line first."""
    columns = "banned_at, host, jail, ip, ban_id, position, line"
    statement, values = _statement(wanted, columns)
    return connection.execute(
        f"{statement} ORDER BY banned_at DESC, ban_id, position DESC LIMIT ?",
        (*values, -1 if limit is None else limit),
    )


def found_lines(
    connection: sqlite3.Connection, wanted: LineQuery, *, limit: int | None = None
) -> Iterator[FoundLine]:
    """Read lines as values, newest ban and line first."""
    for row in found_rows(connection, wanted, limit=limit):
        columns = dict(row)
        columns["banned_at"] = read_time(row["banned_at"])
        yield FoundLine(**columns)


def count(connection: sqlite3.Connection, wanted: LineQuery) -> int:
    """Count the lines that are wanted."""
    statement, values = _statement(wanted, "count(*)")
    lines: int = connection.execute(statement, values).fetchone()[0]
    return lines


def _statement(wanted: LineQuery, columns: str) -> tuple[str, tuple[str, ...]]:
    given: list[tuple[str, tuple[str, ...]]] = [("TRUE", ())]
    if wanted.since is not None:
        given.append(("banned_at >= ?", (time_text(wanted.since),)))
    if wanted.until is not None:
        given.append(("banned_at < ?", (time_text(wanted.until),)))
    if wanted.jails:
        marks = ", ".join("?" * len(wanted.jails))
        given.append((f"jail IN ({marks})", wanted.jails))
    patterns = tuple(map(_pattern, wanted.terms))
    statement = _FOUND.format(
        recent=" AND ".join(["line LIKE ?"] * len(patterns)),
        columns=columns,
        conditions=" AND ".join(text for text, _ in given),
    )
    values = (value for _, several in given for value in several)
    return statement, (_match(wanted.terms), *patterns, *values)


def _match(terms: tuple[str, ...]) -> str:
    """Write a query of FTS5 in which nothing but our own quotes means anything."""
    return " AND ".join(map(_phrase, terms))


def _phrase(term: str) -> str:
    # FTS5 ends at a NUL, and the store has none.
    words = term.rstrip("*").replace('"', " ").replace("\0", " ")
    return f'"{words}"*' if term.endswith("*") else f'"{words}"'


def _pattern(term: str) -> str:
    """Find the same by LIKE: a mark between words may be any other."""
    return f"%{_APART.sub('_', term).strip('_')}%"
