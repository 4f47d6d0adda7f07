"""Full-text search over log lines, those that wait for the index among them."""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from f2b_enrich.model import read_time, time_text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

MOST_WORDS = 32
LONGEST_TEXT = 1000
"""FTS5 gives up on deep queries, and a log line has not many more words."""

COLUMNS = ("banned_at", "host", "jail", "ip", "ban_id", "position", "line")

# A phrase in quotes or a word; `*` behind it stands for any further letters.
_TERM = re.compile(r'"(?P<phrase>[^"]+)"(?P<more>\*?)|(?P<word>\S+)')
_APART = re.compile(r"[^A-Za-z0-9]+")

_FOUND = """
    WITH found AS (
        SELECT rowid AS id FROM log_lines_fts WHERE log_lines_fts MATCH ?
        UNION ALL
        SELECT value FROM json_each(?)
        WHERE value > (SELECT ifnull(max(id), 0) FROM log_lines_fts_docsize)
    )
    SELECT {columns} FROM found
    JOIN log_lines ON log_lines.id = found.id
    JOIN bans ON bans.id = log_lines.ban_id
    WHERE {conditions}
"""

# LIKE knows neither words nor accents: where a line has other letters than ASCII's, it
# leaves the answer to the index.
_WAITING = r"""
    SELECT id, line FROM log_lines
    WHERE id > (SELECT ifnull(max(id), 0) FROM log_lines_fts_docsize)
    AND ({alike} OR line GLOB '*[^' || char(1) || '-' || char(127) || ']*')
"""
_AT_ONCE = 1000


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
    return _rows(connection, _condition(connection, wanted), limit=limit)


def found_lines(
    connection: sqlite3.Connection, wanted: LineQuery, *, limit: int | None = None
) -> tuple[tuple[FoundLine, ...], int]:
    """Read lines as values, newest ban and line first, and count all there are."""
    condition = _condition(connection, wanted)
    rows = _rows(connection, condition, limit=limit)
    lines = tuple(
        FoundLine(**{**dict(row), "banned_at": read_time(row["banned_at"])})
        for row in rows
    )
    if limit is None or len(lines) < limit:
        return lines, len(lines)
    statement = _FOUND.format(columns="count(*)", conditions=condition.text)
    total: int = connection.execute(statement, condition.values).fetchone()[0]
    return lines, total


@dataclass(frozen=True, slots=True)
class _Condition:
    """Which lines are wanted, in SQL."""

    text: str
    values: tuple[str, ...]


def _rows(
    connection: sqlite3.Connection, condition: _Condition, *, limit: int | None
) -> Iterator[sqlite3.Row]:
    statement = _FOUND.format(columns=", ".join(COLUMNS), conditions=condition.text)
    return connection.execute(
        f"{statement} ORDER BY banned_at DESC, ban_id, position DESC LIMIT ?",
        (*condition.values, -1 if limit is None else limit),
    )


def _condition(connection: sqlite3.Connection, wanted: LineQuery) -> _Condition:
    given: list[tuple[str, tuple[str, ...]]] = [("TRUE", ())]
    if wanted.since is not None:
        given.append(("banned_at >= ?", (time_text(wanted.since),)))
    if wanted.until is not None:
        given.append(("banned_at < ?", (time_text(wanted.until),)))
    if wanted.jails:
        marks = ", ".join("?" * len(wanted.jails))
        given.append((f"jail IN ({marks})", wanted.jails))
    waiting = json.dumps(list(_waiting(connection, wanted.terms)))
    values = (value for _, several in given for value in several)
    return _Condition(
        " AND ".join(text for text, _ in given),
        (_match(wanted.terms), waiting, *values),
    )


def _waiting(connection: sqlite3.Connection, terms: tuple[str, ...]) -> Iterator[int]:
    """Find lines that are not in the index yet, by the same index made in memory."""
    alike = " AND ".join(["line LIKE ?"] * len(terms))
    rows = connection.execute(_WAITING.format(alike=alike), tuple(map(_pattern, terms)))
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as memory:
        memory.execute("CREATE VIRTUAL TABLE lines USING fts5(line, content='')")
        while some := rows.fetchmany(_AT_ONCE):
            memory.executemany(
                "INSERT INTO lines (rowid, line) VALUES (?, ?)", map(tuple, some)
            )
            yield from (
                row_id
                for (row_id,) in memory.execute(
                    "SELECT rowid FROM lines WHERE lines MATCH ?", (_match(terms),)
                )
            )
            memory.execute("INSERT INTO lines (lines) VALUES ('delete-all')")


def _match(terms: tuple[str, ...]) -> str:
    """Write a query of FTS5 in which nothing but our own quotes means anything."""
    return " AND ".join(map(_phrase, terms))


def _phrase(term: str) -> str:
    # FTS5 ends at a NUL, and the store has none.
    words = term.rstrip("*").replace('"', " ").replace("\0", " ")
    return f'"{words}"*' if term.endswith("*") else f'"{words}"'


def _pattern(term: str) -> str:
    """Find at least the same by LIKE: between letters and digits may be any marks."""
    return f"%{_APART.sub('%', term).strip('%')}%"
