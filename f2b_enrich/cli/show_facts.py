"""What `show` tells of an address, gathered; nothing here prints."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from f2b_enrich.address import read_address
from f2b_enrich.cli.opening import as_stored
from f2b_enrich.errors import F2bEnrichError
from f2b_enrich.store import (
    addresses,
    campaigns,
    enrichments,
    lists,
    neighbours,
    origins,
    reads,
)

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable
    from datetime import datetime

    from f2b_enrich.model import (
        Ban,
        Campaign,
        Enrichment,
        LogLine,
        Neighbours,
        Observed,
    )
    from f2b_enrich.store.addresses import AttackRecord, JailRecord
    from f2b_enrich.store.lists import LoggedBan
    from f2b_enrich.store.origins import KnownFrom

_ID = re.compile(r"[0-9a-f]{8,32}")
_UUID_PARTS = (8, 12, 16, 20)


class NotKnownError(F2bEnrichError):
    """The store has nothing under this key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """All that `show` tells; `records` count all bans, `shown` are those listed.

    `attacks` and `observed` are of all its bans. `host` is the one that is told of
    first. `around` are the newest bans of networks that hold the address. `lines_of`
    reads the log lines of a ban by its id, while the store is open; None where they
    were not asked for. `origins_of` reads where it is known from.
    """

    ip: str
    host: str
    enrichment: Enrichment | None
    records: tuple[JailRecord, ...]
    shown: tuple[LoggedBan, ...]
    lines_of: Callable[[str], tuple[LogLine, ...]] | None
    origins_of: Callable[[str], tuple[KnownFrom, ...]]
    around: tuple[Ban, ...]
    subnet: str | None
    neighbours: Neighbours | None
    attacks: tuple[AttackRecord, ...]
    observed: tuple[Observed, ...]
    campaigns: tuple[Campaign, ...]

    @property
    def names(self) -> tuple[Observed, ...]:
        """The user names that were tried."""
        return tuple(each for each in self.observed if each.kind == "username")

    @property
    def listed(self) -> int:
        """Count what could be listed, of all hosts: bans, and what repeats them."""
        return sum(record.bans for record in self.records)


def gather(
    store: sqlite3.Connection,
    key: str,
    *,
    host: str,
    most: int | None,
    with_lines: bool,
    now: datetime,
) -> Page:
    """Read what is known under an address, or about the address of a ban's id.

    `host` is this machine's name; `most` is how many bans are shown, of an id it is
    that ban alone.

    Raises:
        NotKnownError: no ban, or more than one, goes by this key.
    """
    text = as_stored(key.strip())
    ip = read_address(text).text
    records = addresses.records(store, ip)
    around = addresses.networks_around(store, ip)
    if records or around:
        shown = tuple(lists.logged(store, lists.BanQuery(ip=ip), limit=most))
    else:
        only = lists.logged_ban(store, _ban_of(store, text))
        ip, shown = only.ip, (only,)
        records = addresses.records(store, ip)
        around = addresses.networks_around(store, ip)
    subnet = read_address(ip).subnet
    enrichment = enrichments.latest(store, ip)
    asn = None if enrichment is None else enrichment.asn
    return Page(
        ip=ip,
        host=_first_host(records, host),
        enrichment=enrichment,
        records=records,
        shown=shown,
        lines_of=partial(reads.lines, store) if with_lines else None,
        origins_of=partial(origins.listed, store),
        around=around,
        subnet=subnet,
        neighbours=neighbours.around(store, ip, subnet=subnet, until=now),
        attacks=addresses.attacks(store, ip),
        observed=addresses.observed(store, ip),
        campaigns=campaigns.of(store, ip=ip, subnet=subnet, asn=asn, at=now),
    )


def _first_host(records: tuple[JailRecord, ...], own: str) -> str:
    """Choose this machine, or the one that banned last if this one never did."""
    hosts = [record.host for record in records]
    return own if own in hosts or not hosts else hosts[0]


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
