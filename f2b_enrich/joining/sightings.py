"""What a record contributes to the question which ban it tells of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from f2b_enrich.model import FOR_EVER, ban_id, id_by_name

if TYPE_CHECKING:
    from collections.abc import Iterable

Kind: TypeAlias = Literal["ban", "again", "unban", "prolong"]
"""`again`: fail2ban put a ban in place that may have begun earlier."""

Origin: TypeAlias = Literal["live", "fail2ban-db", "log", "mail", "bounce"]

Precision: TypeAlias = Literal["failure", "logged", "mailed", "bounced"]
"""What a time is that of: the last failure, fail2ban's doing, its mail, its return."""

NEVER = 1 << 62
"""When a ban for ever is planned to end, beyond any second of the calendar."""


class Sighting(NamedTuple):
    """A record of one host and address, without what does not tell bans apart.

    `at` and `ends_at`, the planned end, are Unix seconds; an `at` of precision
    `failure` is rounded as `ban_id` rounds it. A live report of an unban or a longer
    ban tells at which failure its ban began, `failed_at`; an alert of our own what its
    ban was called, `alert_of`. None is not told. Two equal ones are one record read
    twice. A tuple, for millions of them are made and compared.
    """

    kind: Kind
    precision: Precision
    origin: Origin
    at: int
    jail: str | None
    ends_at: int | None = None
    message_id: str | None = None
    failed_at: int | None = None
    alert_of: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """One ban, and all records that tell of it, the one that names it first.

    `jail` is None when no record tells it, `ends_at` the planned end, `unbanned_at` an
    end that was seen; Unix seconds.
    """

    jail: str | None
    at: int
    precision: Precision
    ends_at: int | None
    unbanned_at: int | None
    sightings: tuple[Sighting, ...]

    @property
    def best(self) -> Sighting:
        """Give the record that tells the time of the ban."""
        return self.sightings[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The bans of a host and address; `loose` are ends of bans that nobody told of."""

    bans: tuple[Joined, ...]
    loose: tuple[Sighting, ...]


def planned_end(at: int, bantime_seconds: int | None) -> int | None:
    """Tell when a ban of that failure ends; -2 is how fail2ban writes "unknown"."""
    if bantime_seconds == FOR_EVER:
        return NEVER
    if bantime_seconds is None or bantime_seconds < 0:
        return None
    return min(at + bantime_seconds, NEVER)


def latest_end(ends: Iterable[int | None]) -> int | None:
    """Give the latest planned end: fail2ban only ever makes a ban longer."""
    return max((end for end in ends if end is not None), default=None)


def in_order(sighting: Sighting) -> tuple[object, ...]:
    """Give a key that orders any records, always alike."""
    return (
        sighting.at,
        sighting.kind,
        sighting.precision,
        sighting.origin,
        sighting.jail or "",
        -1 if sighting.ends_at is None else sighting.ends_at,
        sighting.message_id or "",
        -1 if sighting.failed_at is None else sighting.failed_at,
        sighting.alert_of or "",
        # What stood for None until here may have been told.
        sighting.jail is not None,
        sighting.ends_at is not None,
        sighting.message_id is not None,
        sighting.failed_at is not None,
        sighting.alert_of is not None,
    )


def id_of_line(host: str, jail: str, ip: str, at: int) -> str:
    """Name a ban by a line of fail2ban.log that tells no more than that, as `id_of`."""
    return id_by_name(f"{host}\0{jail}\0{ip}\0{at}\0ban\0log\0logged\0")


def id_of(sighting: Sighting, host: str, ip: str) -> str:
    """Name a ban by a record of it, the same whenever that record is read.

    With the time of the failure it is the id that a live report makes. Others get names
    of their own: a ban may be logged in the second of another one's failure.
    """
    jail = sighting.jail or ""
    if sighting.precision == "failure":
        return ban_id(host, jail, ip, sighting.at)
    kind, origin = sighting.kind, sighting.origin
    name = f"{host}\0{jail}\0{ip}\0{sighting.at}\0{kind}\0{origin}"
    name += f"\0{sighting.precision}\0{sighting.message_id or ''}"
    if sighting.alert_of is not None:
        name += f"\0{sighting.alert_of}"
    return id_by_name(name)
