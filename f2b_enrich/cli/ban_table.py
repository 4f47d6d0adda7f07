"""A ban as a row for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from f2b_enrich.cli import times
from f2b_enrich.cli.tables import Column
from f2b_enrich.model import FOR_EVER

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, tzinfo

    from f2b_enrich.store.lists import LoggedBan

PLANNED = "~"
"""Marks an end that was planned and has passed, while no unban was reported."""

PLANNED_NOTE = f"{PLANNED} planned end; no unban was reported"


def is_in_force(ban: LoggedBan, now: datetime) -> bool:
    """Tell whether a ban stands as far as is known."""
    if ban.unbanned_at is not None:
        return False
    if ban.expires_at is None:
        # Without an end; or it is after the year 9999; or fail2ban named no time.
        return ban.bantime_seconds is not None
    return ban.expires_at > now


def banned_column(bans: Sequence[LoggedBan], zone: tzinfo | None) -> Column:
    """Name the column of times with the zone they are written in."""
    names = times.zone_names((ban.banned_at for ban in bans), zone)
    return Column(f"banned ({names})" if names else "banned")


def host_cells(bans: Sequence[LoggedBan]) -> list[str | None]:
    """Name the hosts, or nothing where all bans are of one."""
    several = len({ban.host for ban in bans}) > 1
    return [ban.host if several else None for ban in bans]


def ended(ban: LoggedBan, now: datetime, zone: tzinfo | None) -> str | None:
    """Say when it ended; nothing while it is in force."""
    if ban.unbanned_at is not None:
        return times.stamp(ban.unbanned_at, zone)
    if ban.expires_at is not None and ban.expires_at <= now:
        return f"{PLANNED}{times.stamp(ban.expires_at, zone)}"
    return "in force" if is_in_force(ban, now) else None


def mail(ban: LoggedBan, zone: tzinfo | None) -> str:
    """Say what became of the alert."""
    if ban.mail_state is None:
        return "none"
    if ban.mailed_at is None:
        return ban.mail_state
    at = times.shortly_after(ban.mailed_at, ban.banned_at, zone)
    return f"{ban.mail_state} {at}"


def network(ban: LoggedBan) -> str:
    """Name the network that the address belongs to."""
    number = f"AS{ban.asn}" if ban.asn is not None else ""
    return " ".join(filter(None, (number, ban.as_name)))


def length(ban: LoggedBan) -> str:
    """Say how long it was or is to be."""
    return times.span(ban.bantime_seconds)


def has_end(ban: LoggedBan) -> bool:
    """Tell whether a ban ends at all."""
    return ban.bantime_seconds != FOR_EVER
