"""The values that the parts of f2b-enrich hand to each other."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from hashlib import sha1
from typing import TYPE_CHECKING, Literal, TypeAlias
from uuid import UUID

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import tzinfo

NAMESPACE = UUID("892e344a-9a94-5d74-b6e2-0e63b37bd074")
"""UUIDv5 of `f2b-enrich` in the DNS namespace; never to change."""

Service: TypeAlias = Literal[
    "ssh", "mail", "web", "ftp", "database", "voip", "dns", "vpn", "other"
]
"""What a jail guards."""

FOR_EVER = -1
"""Fail2Ban's ban time of a ban without an end."""

_VARIANT = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}
"""Two bits of that digit tell the variant of RFC 9562."""

_FIRST = datetime.min.replace(tzinfo=UTC)
_LAST = datetime.max.replace(tzinfo=UTC)


class EventKind(StrEnum):
    """What fail2ban did."""

    BAN = "ban"
    UNBAN = "unban"
    PROLONG = "prolong"


class OutboxState(StrEnum):
    """Where a mail stands on its way out."""

    DUE = "due"
    SENDING = "sending"
    SENT = "sent"
    FOLDED = "folded"
    HELD = "held"
    SKIPPED = "skipped"
    UNSURE = "unsure"
    DEAD = "dead"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that fail2ban did, as our action reported it.

    `failed_at` is the Unix time of the last failure as fail2ban's ticket has it, with
    its decimals; `at` is the client's clock. `host` is None unless the sender named
    one.
    """

    kind: EventKind
    jail: str
    ip: str
    failed_at: float
    at: datetime
    host: str | None = None
    bantime_seconds: int | None = None
    failures: int = 0
    ban_count: int = 1
    lines: tuple[str, ...] = ()
    dest: str | None = None
    sender: str | None = None
    captures: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ban:
    """One ban as the store holds it; times are UTC."""

    id: str
    host: str
    jail: str
    ip: str
    ip_version: int | None
    subnet: str | None
    banned_at: datetime
    banned_at_source: str
    bantime_seconds: int | None
    expires_at: datetime | None
    unbanned_at: datetime | None
    failures: int
    ban_count: int
    received_at: datetime
    prolonged_at: datetime | None = None
    lines_received: int = 0
    enrichment_id: int | None = None
    attack: str | None = None
    repeat_of: str | None = None

    @property
    def bantime_is_final(self) -> bool:
        """Tell whether fail2ban can still name a longer time for this ban.

        With bantime.increment a repeat offender's ban is reported with the base time
        first and prolonged up to ten seconds later (fail2ban 1.0.2, observer.py).
        """
        return (
            self.ban_count <= 1
            or self.prolonged_at is not None
            or self.bantime_seconds == FOR_EVER
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """One log line of a ban; `position` counts from 0 among all lines handed over."""

    position: int
    line: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrichment:
    """What is known about an address, from where and since when; None is not known.

    `field_sources` names the source of every known field. `complete` is false when a
    source that is switched on could not be asked: such a snapshot is soon asked again.
    `local_only` is true when there are others than the local database, which were not
    to be asked. `raw` holds each source's answer as received.
    """

    ip: str
    looked_up_at: datetime
    source: str
    complete: bool = True
    local_only: bool = False
    field_sources: Mapping[str, str] = field(default_factory=dict)
    hostname: str | None = None
    hostname_confirmed: bool | None = None
    country_code: str | None = None
    country: str | None = None
    region: str | None = None
    city: str | None = None
    postal: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    location_precision: str | None = None
    timezone: str | None = None
    asn: int | None = None
    as_name: str | None = None
    as_domain: str | None = None
    as_country_code: str | None = None
    is_hosting: bool | None = None
    is_vpn: bool | None = None
    is_tor: bool | None = None
    is_proxy: bool | None = None
    scanner: str | None = None
    abuse_contact: str | None = None
    raw: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxRow:
    """One mail on its way out.

    Policy and brake let it through at `released_at`. One that is folded is told of by
    the mail `folded_into`. `about` tells what a mail without a ban is for.
    """

    id: int
    kind: str
    ban_id: str | None
    recipient: str
    sender: str
    state: OutboxState
    attempts: int
    created_at: datetime
    due_at: datetime
    message_id: str
    sent_at: datetime | None = None
    last_error: str | None = None
    about: str | None = None
    released_at: datetime | None = None
    folded_into: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How often a jail, a host or an address has bans; `first_at` is the oldest."""

    name: str
    bans: int
    first_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TriedName:
    """A user name that somebody tried, in so many lines; an account of the machine?"""

    name: str
    lines: int
    is_account: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """A value of a kind, such as a user name, and how many lines show it.

    No lines: fail2ban's filter named it, no line that was kept does.
    """

    kind: str
    value: str
    lines: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """Somebody who walks through user names over many bans.

    `who` is an address, a subnet or a network (`AS64500`), as `scope` says. `in_order`
    tells that the names came in the order of the alphabet.
    """

    kind: Literal["user-name-enumeration"]
    scope: Literal["address", "subnet", "network"]
    who: str
    first_at: datetime
    last_at: datetime
    bans: int
    addresses: int
    names: int
    in_order: bool
    first_name: str
    last_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbours:
    """The other banned addresses of a /24 or /64; `most` are the busiest of them.

    `at_least` is true when there are too many to count: all figures are least numbers.
    """

    subnet: str
    days: int
    addresses: int
    bans: int
    most: tuple[Tally, ...]
    at_least: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What the store knows about the address of a ban, up to that ban.

    `jails` add up to the bans on the ban's own host, of which it is the `nth`;
    `imported` of them were never reported live. `repeats` of them by jails that watch
    fail2ban itself are counted apart, here and everywhere. `other_hosts` are those of
    the same store. `thread_at` is the ban with which its thread of mails begins.
    """

    nth: int
    records_since: datetime
    jails: tuple[Tally, ...]
    first_at: datetime
    previous_at: datetime | None
    imported: int
    other_hosts: tuple[Tally, ...]
    neighbours: Neighbours | None
    thread_at: datetime
    repeats: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """Why an address is not just anybody's: whose it is, and what tells so.

    `contained` is true when a network is banned that holds more than what `name` names.
    """

    kind: Literal["own", "friend", "cdn", "crawler"]
    name: str
    why: str
    contained: bool = False


def ban_id(host: str, jail: str, ip: str, failed_at: float) -> str:
    """Derive the id of a ban, the same from every record of it.

    The time is rounded exactly as fail2ban's own database rounds it (fail2ban 1.0.2,
    server/database.py, addBan), so that its rows and live events meet in one id.
    """
    seconds = int(round(failed_at))  # noqa: RUF046 - as fail2ban writes it
    return id_by_name(f"{host}\0{jail}\0{ip}\0{seconds}")


def id_by_name(name: str) -> str:
    """Give the text of `uuid5(NAMESPACE, name)`, in a fifth of its time."""
    by_name = sha1(NAMESPACE.bytes + name.encode(), usedforsecurity=False)
    digits = by_name.hexdigest()
    variant = f"{_VARIANT[digits[16]]}{digits[17:20]}"
    return f"{digits[:8]}-{digits[8:12]}-5{digits[13:16]}-{variant}-{digits[20:32]}"


@lru_cache(maxsize=1024)
def time_text(when: datetime) -> str:
    """Write a time as the store and people outside read it: UTC, ISO 8601, `Z`."""
    if when.tzinfo is not UTC:
        when = when.astimezone(UTC)
    return when.isoformat(timespec="seconds")[:19] + "Z"


def read_time(text: str) -> datetime:
    """Read a time that `time_text` wrote."""
    return datetime.fromisoformat(text)


def days_after(when: datetime, days: int) -> datetime:
    """Add days, as far as the calendar goes."""
    try:
        return when + timedelta(days=days)
    except OverflowError:
        return _LAST if days > 0 else _FIRST


def start_of_day(now: datetime, zone: tzinfo | None = None) -> datetime:
    """Give the midnight before, on the clocks of `zone`; None is the machine's."""
    today = now.astimezone(zone).date()
    midnight = datetime.combine(today, time.min, tzinfo=zone)
    return midnight.astimezone(UTC)


def end_of_ban(banned_at: datetime, bantime_seconds: int | None) -> datetime | None:
    """Tell when a ban is planned to end; None when it has no end or none is known."""
    if bantime_seconds is None or bantime_seconds < 0:
        return None
    try:
        return banned_at + timedelta(seconds=bantime_seconds)
    except OverflowError:
        return None
