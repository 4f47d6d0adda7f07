"""`sql`: any question to the store, and nothing but questions."""

from __future__ import annotations

import base64
import contextlib
import functools
import itertools
import math
import re
import sqlite3
import sys
from typing import TYPE_CHECKING, Any, TypeVar

import click

from f2b_enrich import sql_functions
from f2b_enrich.cli.opening import as_stored, asking
from f2b_enrich.cli.options import with_settings
from f2b_enrich.cli.tables import json_lines, json_text, screen_width
from f2b_enrich.errors import StoreError
from f2b_enrich.inert import printable
from f2b_enrich.tables import Column, csv_lines, fit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from f2b_enrich.config import Settings

    Row = Sequence[object]

R = TypeVar("R")

MOST_ROWS = 1000
"""What a table takes: it is laid out in memory, and read by people."""

_CELL = 80
_LAST_CELL = 64 * 1024
_STEPS = 100_000
"""Steps of SQLite between two looks at Ctrl-C, some milliseconds."""

_AT_ONCE = 1000
"""Lines written at a time: each write goes out at once."""

_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")
_FORMULA = ("=", "+", "-", "@")
"""What spreadsheets take for the start of a formula; other starts are printable."""

_READING = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_RECURSIVE}
_HARMLESS_PRAGMAS = {
    "compile_options",
    "data_version",  # FTS5 asks for it
    "foreign_key_list",
    "function_list",
    "index_info",
    "index_list",
    "index_xinfo",
    "table_info",
    "table_list",
    "table_xinfo",
}


def _json(columns: Sequence[str], rows: Iterable[Row]) -> Iterator[str]:
    return json_lines(columns, _each(_in_json, rows))


def _nl(columns: Sequence[str], rows: Iterable[Row]) -> Iterator[str]:
    for row in _each(_in_json, rows):
        yield json_text(dict(zip(columns, row, strict=True)))


def _csv(columns: Sequence[str], rows: Iterable[Row]) -> Iterator[str]:
    return csv_lines(columns, _each(_in_csv, rows))


def _tsv(columns: Sequence[str], rows: Iterable[Row]) -> Iterator[str]:
    # Nothing printable needs quotes here: a tab in a value is a space by now.
    for row in itertools.chain((columns,), rows):
        yield "\t".join(map(_in_tsv, row))


def _raw_lines(_: Sequence[str], rows: Iterable[Row]) -> Iterator[str]:
    for value, *_rest in rows:
        yield _in_line(value)


_FORMS: Mapping[str, tuple[str, Callable[..., Iterator[str]]]] = {
    "--json": ("Print a JSON array.", _json),
    "--nl": ("Print a JSON object a line.", _nl),
    "--csv": ("Print CSV.", _csv),
    "--tsv": ("Print CSV with tabs and no quotes.", _tsv),
    "--raw-lines": ("Print the first column, a line a row.", _raw_lines),
}
"""What sqlite-utils calls the same; the table is apart."""


def _with_form(command: Callable[..., R]) -> Callable[..., R]:
    """Add an option for each form, and pass its flag as `form`; None is the table."""

    @functools.wraps(command)
    def run(*args: Any, as_table: bool, **kwargs: Any) -> R:  # noqa: ANN401
        chosen = [flag for flag in _FORMS if kwargs.pop(flag[2:].replace("-", "_"))]
        if len(chosen) + as_table > 1:
            raise click.UsageError(f"--table, {', '.join(_FORMS)} exclude each other")
        return command(*args, form=chosen[0] if chosen else None, **kwargs)

    wrapped: Callable[..., R] = run
    for flag, (text, _) in reversed(tuple(_FORMS.items())):
        wrapped = click.option(flag, is_flag=True, help=text)(wrapped)
    table_option = click.option(
        "-t", "--table", "as_table", is_flag=True, help="Print a table (default)."
    )
    return table_option(wrapped)


@click.command(
    epilog="\b\nExamples:\n"
    '  f2b-enrich sql "select country, count(*) as bans from ban_log group by 1"\n'
    '  f2b-enrich sql "select * from bans where jail = :jail" -p jail sshd --csv\n'
    "  f2b-enrich sql - < question.sql"
)
@click.argument("query")
@click.option(
    "-p",
    "--param",
    "parameters",
    type=(str, str),
    multiple=True,
    metavar="NAME VALUE",
    help="A value for :NAME in the query, as text; cast(:NAME as integer) is a "
    "number. May be repeated.",
)
@_with_form
@with_settings
def sql(
    settings: Settings,
    query: str,
    *,
    parameters: tuple[tuple[str, str], ...],
    form: str | None,
) -> None:
    """Ask the store a QUERY in SQL; - reads it from standard input.

    It can only read. Besides SQLite's own functions there are flag(country_code),
    country_name(country_code), subnet(ip, bits) and ip_key(ip), which sorts.
    """
    text = _standard_input() if query == "-" else as_stored(query)
    values = {
        as_stored(name).removeprefix(":"): as_stored(value)
        for name, value in parameters
    }
    with asking(settings) as store, _mistakes():
        _only_reading(store)
        cursor = store.execute(text, values)
        if cursor.description is None:
            raise StoreError("query: there is no question in it")
        columns = _names(cursor)
        rows: Iterator[Row] = (tuple(row) for row in cursor)
        if form is None:
            _echo_table(columns, rows, values)
        else:
            _, lines = _FORMS[form]
            _echo_lines(lines(columns, rows))


def _standard_input() -> str:
    return sys.stdin.buffer.read().decode("utf-8", "replace")


@contextlib.contextmanager
def _mistakes() -> Iterator[None]:
    """Tell a mistake in the query from a fault of the store, which has its own text."""
    try:
        yield
    except (sqlite3.Error, sqlite3.Warning) as exc:
        # Python says so itself, without a code, where it refuses a query.
        if getattr(exc, "sqlite_errorcode", None) == sqlite3.SQLITE_INTERRUPT:
            raise click.Abort from None
        raise StoreError(f"query: {exc}") from exc


def _only_reading(store: sqlite3.Connection) -> None:
    """Add our functions; refuse all that could write, open a file or change settings.

    The file is open for reading only as well: this also keeps ATTACH and temporary
    tables out. While SQLite works, Python sees a Ctrl-C only when it is called.
    """
    sql_functions.prepare_connection(store)
    # Bytes that are no UTF-8, say of a cast, are no reason to fail.
    store.text_factory = lambda text: text.decode("utf-8", "replace")
    store.execute("PRAGMA query_only = ON")
    store.set_authorizer(_authorize)
    store.set_progress_handler(lambda: 0, _STEPS)


def _authorize(
    action: int, name: str | None, argument: str | None, *_: str | None
) -> int:
    allowed = (
        action in _READING
        or (action == sqlite3.SQLITE_FUNCTION and argument != "load_extension")
        or (action == sqlite3.SQLITE_PRAGMA and name in _HARMLESS_PRAGMAS)
        # SQLite asks for this before it reads from FTS5 or json_each (3.40), and
        # never lets anybody write there.
        or (action == sqlite3.SQLITE_UPDATE and name == "sqlite_master")
    )
    return sqlite3.SQLITE_OK if allowed else sqlite3.SQLITE_DENY


def _names(cursor: sqlite3.Cursor) -> tuple[str, ...]:
    """Name the columns; of two with one name JSON would keep only the second."""
    names: list[str] = []
    for name, *_ in cursor.description:
        numbered = (f"{name}_{number}" for number in itertools.count(2))
        free = (each for each in itertools.chain((name,), numbered))
        names.append(next(each for each in free if each not in names))
    return tuple(names)


def _echo_lines(lines: Iterator[str]) -> None:
    while some := tuple(itertools.islice(lines, _AT_ONCE)):
        click.echo("\n".join(some))


def _echo_table(
    columns: Sequence[str], rows: Iterator[Row], values: Mapping[str, str]
) -> None:
    shown = tuple(itertools.islice(rows, MOST_ROWS))
    for line in table(columns, shown, width=screen_width()):
        click.echo(line)
    if not shown:
        click.echo(f"no rows{_hint(values)}", err=True)
    elif next(rows, None) is not None:
        click.echo(f"the first {MOST_ROWS:,} rows; all: --json or --csv", err=True)


def _hint(values: Mapping[str, str]) -> str:
    """Point at what finds nothing: SQLite holds every number for less than a text."""
    for name, value in values.items():
        if _NUMBER.fullmatch(value):
            said = printable(name)
            return f"; :{said} is text, cast(:{said} as integer) is a number"
    return ""


def table(
    names: Sequence[str], rows: Sequence[Sequence[object]], *, width: int | None
) -> Iterator[str]:
    """Lay rows out for people; the last column is cut on a screen only."""
    if not rows:
        return
    last = len(names) - 1
    columns = [
        Column(
            printable(name),
            right=all(isinstance(row[i], int | float | None) for row in rows),
            limit=_LAST_CELL if i == last else _CELL,
        )
        for i, name in enumerate(names)
    ]
    yield from fit(columns, [tuple(map(_in_table, row)) for row in rows], width=width)


def _each(
    change: Callable[[object], object], rows: Iterable[Row]
) -> Iterator[tuple[object, ...]]:
    return (tuple(map(change, row)) for row in rows)


def _in_table(value: object) -> object:
    # Not the empty text: a column of nothing else would be left out, and was asked for.
    return "-" if value is None else _in_csv(value) if value != "" else " "


def _in_csv(value: object) -> object:
    return f"x'{value.hex()}'" if isinstance(value, bytes) else value


def _in_tsv(value: object) -> str:
    text = _in_line(value)
    is_formula = isinstance(value, str) and text.startswith(_FORMULA)
    return f"'{text}" if is_formula else text


def _in_line(value: object) -> str:
    return "" if value is None else printable(str(_in_csv(value)))


def _in_json(value: object) -> object:
    """Give bytes as sqlite-utils does; JSON knows no infinity."""
    if isinstance(value, bytes):
        return {"$base64": True, "encoded": base64.b64encode(value).decode()}
    if isinstance(value, float) and math.isinf(value):
        return str(value)
    return value
