"""What `show` tells of an address, gathered; nothing here prints."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from f2b_enrich.cli.opening import as_stored
from f2b_enrich.errors import F2bEnrichError
from f2b_enrich.model import read_address
from f2b_enrich.store import enrichments, lists, reads

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping
    from datetime import datetime

    from f2b_enrich.model import Enrichment, LogLine
    from f2b_enrich.store.lists import LoggedBan
    from f2b_enrich.store.reads import Totals

NEIGHBOURS_SPAN = timedelta(days=30)
_ID = re.compile(r"[0-9a-f]{8,32}")
_UUID_PARTS = (8, 12, 16, 20)


class NotKnownError(F2bEnrichError):
    """The store has nothing under this key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """All that `show` tells; `bans` are all of the address, `shown` those listed.

    `neighbours` counts the other addresses of the subnet, the last 30 days.
    """

    ip: str
    enrichment: Enrichment | None
    bans: tuple[LoggedBan, ...]
    shown: tuple[LoggedBan, ...]
    lines: Mapping[str, tuple[LogLine, ...]]
    subnet: str | None
    neighbours: Totals | None


def gather(
    store: sqlite3.Connection,
    key: str,
    *,
    most: int | None,
    with_lines: bool,
    now: datetime,
) -> Page:
    """Read what is known under an address, or about the address of a ban's id.

    `most` is how many bans are shown; of an id it is that ban alone.

    Raises:
        NotKnownError: no ban, or more than one, goes by this key.
    """
    text = as_stored(key.strip())
    ip = read_address(text).text
    bans = tuple(lists.logged(store, lists.BanQuery(ip=ip)))
    shown = bans[:most]
    if not bans:
        only = lists.logged_ban(store, _ban_of(store, text))
        ip, shown = only.ip, (only,)
        bans = tuple(lists.logged(store, lists.BanQuery(ip=ip)))
    lines = {ban.id: reads.lines(store, ban.id) for ban in shown} if with_lines else {}
    subnet = bans[0].subnet
    return Page(
        ip=ip,
        enrichment=enrichments.latest(store, ip),
        bans=bans,
        shown=shown,
        lines=lines,
        subnet=subnet,
        neighbours=_neighbours(store, ip, subnet, now=now),
    )


def _ban_of(store: sqlite3.Connection, text: str) -> str:
    digits = text.lower().replace("-", "")
    if not _ID.fullmatch(digits):
        raise NotKnownError(f"no ban of {text} is recorded")
    found = lists.bans_by_id(store, _hyphenated(digits), limit=2)
    if not found:
        raise NotKnownError(f"no ban of {text} is recorded, nor one with such an id")
    if len(found) > 1:
        raise NotKnownError(f"more than one ban has an id that begins with {text}")
    return found[0]


def _hyphenated(digits: str) -> str:
    starts = (0, *_UUID_PARTS)
    ends = (*_UUID_PARTS, len(digits))
    parts = (digits[start:end] for start, end in zip(starts, ends, strict=True))
    return "-".join(filter(None, parts))


def _neighbours(
    store: sqlite3.Connection, ip: str, subnet: str | None, *, now: datetime
) -> Totals | None:
    if subnet is None or subnet == ip:
        return None
    return lists.neighbours(store, ip, subnet, since=now - NEIGHBOURS_SPAN)
