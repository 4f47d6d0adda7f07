"""What fail2ban tells, made what the store takes in."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from f2b_enrich.classify.captures import captured
from f2b_enrich.importing.sighted import sighting_of
from f2b_enrich.inert import printable, without_nul
from f2b_enrich.joining.sightings import Sighting, id_of, planned_end
from f2b_enrich.model import FOR_EVER, Event, EventKind, read_time
from f2b_enrich.store.intake import Brought

if TYPE_CHECKING:
    from collections.abc import Iterable

    from f2b_enrich.health.held_bans import HeldBan
    from f2b_enrich.importing.fail2ban_rows import StoredBan
    from f2b_enrich.store.in_force import StandingBan


@dataclass(frozen=True, slots=True, kw_only=True)
class Missed:
    """A ban, or the end of one, that passed us by.

    `jail` is called as fail2ban does, `id` is what names the ban, `at` its time in Unix
    seconds. `is_known` is one of which only something was missed, `of` the ban whose
    end it is. `dest` and `sender` are what the jail's action says of its mails.
    """

    jail: str
    ip: str
    id: str
    at: int
    brought: Brought
    of: StandingBan | None = None
    is_known: bool = False
    bantime_seconds: int | None = None
    dest: str | None = None
    sender: str | None = None

    def __str__(self) -> str:
        """Name it on one line, for a log."""
        local = datetime.fromtimestamp(self.at, UTC).astimezone()
        ban = f"ban of {printable(self.ip)} by jail {printable(self.jail)}"
        return f"{ban} at {local:%Y-%m-%d %H:%M:%S %Z}"

    def event(self, now: datetime) -> Event:
        """Give the report that should have come, as far as mails want to know it."""
        return Event(
            kind=EventKind.BAN,
            jail=self.jail,
            ip=self.ip,
            failed_at=self.at,
            at=now,
            bantime_seconds=self.bantime_seconds,
            dest=self.dest,
            sender=self.sender,
        )


def seconds_of(record: StoredBan) -> int:
    """Give the time of the failure, rounded as an id rounds it."""
    return int(round(record.failed_at))  # noqa: RUF046 - as fail2ban writes it


def from_database(record: StoredBan, host: str, jail: str, ip: str) -> Missed:
    """Make what to bring of a row; `jail` is folded, `ip` as the store writes it."""
    at = seconds_of(record)
    told = replace(record, ends_at=None)  # that of the time with its fraction
    sighting = sighting_of(told, datetime.fromtimestamp(at, UTC), jail=jail)
    return Missed(
        jail=record.jail or "",
        ip=ip,
        id=id_of(sighting, host, ip),
        at=at,
        bantime_seconds=record.bantime_seconds,
        brought=Brought(
            sighting=sighting,
            reference="",
            failures=record.failures,
            ban_count=record.ban_count,
            lines=tuple(map(_harmless, record.lines)),
            captures=captured(dict(record.captures)),
        ),
    )


def from_list(ban: HeldBan, host: str, jail: str, folded: str, ip: str) -> Missed:
    """Make what to bring of a ban in fail2ban's list.

    Its time may be one second before the failure's, so it is not taken for that: a
    report that still comes, out of the spool say, joins it.
    """
    at = ban.at[0]
    sighting = Sighting(
        kind="ban",
        precision="logged",
        origin="fail2ban-db",
        at=at,
        jail=folded,
        ends_at=planned_end(at, ban.bantime_seconds),
    )
    return Missed(
        jail=jail,
        ip=ip,
        id=id_of(sighting, host, ip),
        at=at,
        bantime_seconds=ban.bantime_seconds,
        brought=Brought(sighting=sighting, reference=""),
    )


def ended(ban: StandingBan, now: datetime, *, later: Iterable[HeldBan]) -> Missed:
    """End a ban when it was seen to be gone, or when the next one `later` began."""
    seconds = int(now.timestamp())
    next_at = (at for each in later for at in each.at if at > ban.at)
    end = min(next_at, default=seconds)
    sighting = Sighting(
        kind="unban",
        precision="logged",
        origin="fail2ban-db",
        at=min(max(end, int(read_time(ban.announced_at).timestamp())), seconds),
        jail=ban.jail,
        failed_at=ban.at if ban.is_exact else None,
    )
    brought = Brought(sighting=sighting, reference="")
    return Missed(
        jail=ban.jail, ip=ban.ip, id=ban.id, at=ban.at, brought=brought, of=ban
    )


def is_longer(seconds: int | None, known: int | None) -> bool:
    """Tell whether a ban time is longer than what is known of it."""
    if seconds is None or known == FOR_EVER:
        return False
    return known is None or seconds == FOR_EVER or seconds > known


def _harmless(line: bytes) -> str:
    return without_nul(line.decode("utf-8", "replace"))
