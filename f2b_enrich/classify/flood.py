"""Which ordinary web requests of a ban are a flood, by how many came in how long."""

from __future__ import annotations

import re
from collections import defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from f2b_enrich.classify.span import span

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from f2b_enrich.classify.matching import Matched

FLOOD_RULE = "request-flood-by-number"
"""The name by which this stands beside the rules of rules.toml."""

WINDOW = timedelta(seconds=10)
"""Tools that flood send hundreds in it; who browses has finished loading a page."""

MANY_PAGES = 40
"""So many requests in the window are a flood: nobody opens four pages a second.

A jail with a limit of 20 lines in ten minutes is far from it.
"""

MANY_REQUESTS = 400
"""The same with what a page brings along: one with 30, or even 300, is no flood."""

_BROUGHT_ALONG = re.compile(
    r"\.(?:avif|css|gif|ico|jpe?g|js|map|mjs|png|svg|ttf|webp|woff2?)(?:\?|\Z)"
)
_CLIENT = re.compile(rb"\S+ +\S+")
"""The first words: the address, or a virtual host and the address."""


class _Request(NamedTuple):
    place: int
    stamp: str
    is_page: bool


def flood(lines: Sequence[Matched], ordinary: Iterable[int]) -> frozenset[int]:
    """Give the places of the lines that are a flood, of those at `ordinary`.

    Lines of access logs only, each client for itself. Lines whose stamps cannot be
    compared with its first one, or are before it, are left out.
    """
    clients: defaultdict[bytes, list[_Request]] = defaultdict(list)
    for place in ordinary:
        client = _CLIENT.match(lines[place].text)
        request = _request(place, lines[place])
        if client is not None and request is not None:
            clients[client[0]].append(request)
    flooding: set[int] = set()
    for requests in clients.values():
        if len(requests) >= MANY_PAGES:
            timed = _timed(requests)
            pages = [(at, request) for at, request in timed if request.is_page]
            flooding.update(_dense(pages, MANY_PAGES))
            flooding.update(_dense(timed, MANY_REQUESTS))
    return frozenset(flooding)


def _request(place: int, line: Matched) -> _Request | None:
    path = dict(line.values).get("path")
    # As in access_log.py: a name before the stamp may hold another one.
    end = line.text.find(b'] "')
    start = line.text.rfind(b"[", 0, end)
    if path is None or end < 0 or start < 0:
        return None
    stamp = line.text[start : end + 1].decode("utf-8", "replace")
    return _Request(place, stamp, not _BROUGHT_ALONG.search(path))


def _timed(requests: Sequence[_Request]) -> list[tuple[timedelta, _Request]]:
    """Give each with its time after the first, in order of time."""
    since = _since_first(requests)
    timed = (
        (at, request)
        for request in requests
        if (at := since[request.stamp]) is not None
    )
    return sorted(timed, key=lambda item: item[0])


def _since_first(requests: Sequence[_Request]) -> Mapping[str, timedelta | None]:
    first = requests[0].stamp
    # The lines of a second have one stamp, so few are read.
    return {
        stamp: span((first, stamp)) for stamp in {request.stamp for request in requests}
    }


def _dense(timed: Sequence[tuple[timedelta, _Request]], many: int) -> Iterator[int]:
    """Give the places of requests that stand in a window with so many."""
    given = 0
    for end in range(many, len(timed) + 1):
        start = end - many
        if timed[end - 1][0] - timed[start][0] <= WINDOW:
            for _, request in timed[max(start, given) : end]:
                yield request.place
            given = end
