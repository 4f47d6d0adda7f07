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
    return value if isinstance(value, str) else None


@hookimpl  # type: ignore[untyped-decorator]
def asgi_wrapper() -> Callable[[Any], Any]:
    """Give every answer the headers that keep it to itself, and make pages inert."""
    return _guarded


def _guarded(app: Any) -> Any:  # noqa: ANN401 - as ASGI has it
    async def answer(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401
        is_page = False

        async def sent(event: dict[str, Any]) -> None:
            nonlocal is_page
            if event["type"] == "http.response.start":
                is_page = any(map(_is_html, event["headers"]))
                event["headers"] = [
                    pair for pair in event["headers"] if _name(pair) not in _HEADERS
                ]
                event["headers"] += [
                    (name.encode(), value.encode()) for name, value in _HEADERS.items()
                ]
            elif is_page:  # Datasette sends a page in one piece
                event["body"] = _inert(event["body"])
            told: Awaitable[None] = send(event)
            await told

        await app(scope, receive, sent)

    return answer


def _is_html(pair: tuple[bytes, bytes]) -> bool:
    return _name(pair) == "content-type" and pair[1].startswith(b"text/html")


def _inert(page: bytes) -> bytes:
    """Turn no direction and hide nothing: values stand in headings and facets, too."""
    return "\n".join(map(printable, page.decode().split("\n"))).encode()


def _name(pair: tuple[bytes, bytes]) -> str:
    return pair[0].decode("latin-1").lower()
