"""What the pages of `browse` have beside Datasette's own: a plugin is a module."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from datasette import hookimpl

from f2b_enrich import sql_functions
from f2b_enrich.inert import printable

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Awaitable, Callable

NAME = "bans"
"""What the store is called in the addresses of pages."""

# Nothing is fetched from elsewhere, whatever a page says, and no page of elsewhere has
# one of these in it.
_HEADERS = {
    "content-security-policy": "default-src 'none'; connect-src 'self'; "
    "img-src 'self' data:; script-src 'self' 'unsafe-inline'; "
    "style-src 'self' 'unsafe-inline'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'",
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
}


@hookimpl  # type: ignore[untyped-decorator]
def prepare_connection(conn: sqlite3.Connection, database: str) -> None:
    """Add the SQL functions; allow nothing but reading."""
    sql_functions.prepare_connection(conn)
    if database == NAME:  # Datasette keeps notes of its own in memory
        conn.execute("PRAGMA query_only = ON")


@hookimpl  # type: ignore[untyped-decorator]
def render_cell(value: object) -> str | None:
    """Show text as text: Datasette would make a link of what attackers wrote."""
    if not isinstance(value, str):
        return None
    return "\n".join(map(printable, value.split("\n")))


@hookimpl  # type: ignore[untyped-decorator]
def asgi_wrapper() -> Callable[[Any], Any]:
    """Give every answer the headers that keep it to itself."""
    return _with_headers


def _with_headers(app: Any) -> Any:  # noqa: ANN401 - as ASGI has it
    async def answer(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401
        async def sent(event: dict[str, Any]) -> None:
            if event["type"] == "http.response.start":
                event["headers"] = [
                    pair for pair in event["headers"] if _name(pair) not in _HEADERS
                ]
                event["headers"] += [
                    (name.encode(), value.encode()) for name, value in _HEADERS.items()
                ]
            told: Awaitable[None] = send(event)
            await told

        await app(scope, receive, sent)

    return answer


def _name(pair: tuple[bytes, bytes]) -> str:
    return pair[0].decode("latin-1").lower()
