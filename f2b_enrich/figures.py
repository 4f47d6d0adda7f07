"""What digests count and name: values that the store and the mails share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

DigestKind: TypeAlias = Literal["daily", "hourly", "weekly", "flood"]
"""Why a digest is sent: its hour has come, or a flood filled it."""

Fate: TypeAlias = Literal[
    "mailed", "here", "elsewhere", "waiting", "skipped", "dead", "none"
]
"""What became of the alert about a ban: mailed singly or in an alert about the same
attack; only in this digest, in another one; still to go; left out by policy; refused;
never queued."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """The time a digest is about, from `since` to before `until`.

    With it is compared the time from `before` to `since`; None is no comparison.
    """

    kind: DigestKind
    since: datetime
    until: datetime
    before: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FoldedBan:
    """A ban that a digest speaks of instead of an alert; None is not known."""

    id: str
    host: str
    jail: str
    service: str
    ip: str
    banned_at: datetime
    received_at: datetime
    bantime_seconds: int | None
    failures: int
    attack: str | None
    is_repeat: bool
    country_code: str | None
    asn: int | None
    as_name: str | None
    hostname: str | None = None
    hostname_confirmed: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """How many bans of how many addresses, after how many failures: three numbers."""

    bans: int
    addresses: int
    failures: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceCount:
    """What was counted of one service, and the host that it was most of."""

    service: str
    count: Count
    most_hit: str
    most_hit_bans: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceCount:
    """What was counted of an address, or of a /64 that holds `addresses` of them."""

    name: str
    bans: int
    addresses: int
    hosts: int
    jails: tuple[str, ...]
    country_code: str | None
    asn: int | None
    as_name: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkCount:
    """What was counted of the network that one AS number names."""

    asn: int
    as_name: str | None
    scanner: str | None
    addresses: int
    bans: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NameCount:
    """Anything that has a name, and how often it was there."""

    name: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Mails to one recipient that were given up, and the newest reason."""

    recipient: str
    mails: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedLine:
    """A log line of a ban that shows a known hole; the line may say `200`."""

    host: str
    jail: str
    ip: str
    line: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rush:
    """Who came at once, the most first; `unplaced` bans have no known network."""

    count: Count
    jails: tuple[NameCount, ...]
    networks: tuple[NetworkCount, ...]
    unplaced: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodFigures:
    """What was in a period; bans that only repeat others are in `repeats` alone.

    The `fates` add up to its bans. `records_since` is when the store begins, `before`
    what it counted in the time before. `in_services` is the sum of the services'
    addresses, of which `in_several` were seen by more than one. `sources` and
    `networks` are the busiest; `all_networks` counts them all, `unplaced` the addresses
    of none. `names` are the user names that two addresses tried at least.
    """

    count: Count
    before: Count | None
    records_since: datetime | None
    repeats: tuple[NameCount, ...]
    hosts: tuple[str, ...]
    known_hosts: int
    fates: Mapping[Fate, int]
    services: tuple[ServiceCount, ...]
    in_services: int
    in_several: int
    sources: tuple[SourceCount, ...]
    all_sources: int
    networks: tuple[NetworkCount, ...]
    all_networks: int
    unplaced: int
    names: tuple[NameCount, ...]
    mails_due: int
    refused: tuple[Refusal, ...]
    mails_refused: int
    look_ups: int
    incomplete: int
