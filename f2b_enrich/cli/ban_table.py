"""A ban as a row for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from f2b_enrich.cli import times
from f2b_enrich.cli.tables import Column
from f2b_enrich.model import FOR_EVER

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, tzinfo

    from f2b_enrich.model import Ban
    from f2b_enrich.store.lists import LoggedBan

PLANNED = "~"
"""Marks an end that was planned and has passed, while no unban was reported."""

PLANNED_NOTE = f"{PLANNED} planned end; no unban was reported"


def is_in_force(ban: LoggedBan, now: datetime) -> bool | None:
    """Tell whether a ban stands; None is not known."""
    return False if ban.superseded_at is not None else stands(ban, now)


def stands(newest: Ban | LoggedBan, now: datetime) -> bool | None:
    """Tell the same of the newest ban of an address by one jail of a host."""
    if newest.unbanned_at is not None:
        return False
    if newest.bantime_seconds is None:  # fail2ban named none
        return None
    # Without an end, or it is after the year 9999.
    return newest.expires_at is None or newest.expires_at > now


def standing(newest: Ban, now: datetime, zone: tzinfo | None) -> str:
    """Say until when the newest ban by a jail stands, or since when it does not."""
    if newest.unbanned_at is not None:
        return f"not in force: unbanned {times.moment(newest.unbanned_at, zone)}"
    if newest.bantime_seconds is None:
        return "not known whether in force: fail2ban named no ban time"
    if newest.bantime_seconds == FOR_EVER:
        return "in force, for ever"
    if newest.expires_at is None:
        return "in force, beyond the year 9999"
    end = f"planned end {times.planned(newest.expires_at, zone)}"
    return f"in force, {end}" if stands(newest, now) else f"not in force: {end}"


def banned_column(bans: Sequence[LoggedBan], zone: tzinfo | None) -> Column:
    """Name the column of times with the zone they are written in."""
    names = times.zone_names((ban.banned_at for ban in bans), zone)
    return Column(f"banned ({names})" if names else "banned")


def host_cells(bans: Sequence[LoggedBan]) -> list[str | None]:
    """Name the hosts, or nothing where all bans are of one."""
    several = len({ban.host for ban in bans}) > 1
    return [ban.host if several else None for ban in bans]


def ended(ban: LoggedBan, now: datetime, zone: tzinfo | None) -> str | None:
    """Say when it ended; nothing where that is not known."""
    if ban.unbanned_at is not None:
        return times.stamp(ban.unbanned_at, zone)
    # Of a ban that was followed by another before its planned end nobody saw the end.
    if ban.expires_at is not None and ban.expires_at <= (ban.superseded_at or now):
        return f"{PLANNED}{times.stamp(ban.expires_at, zone)}"
    return "in force" if is_in_force(ban, now) else None


def network(ban: LoggedBan) -> str:
    """Name the network that the address belongs to."""
    number = f"AS{ban.asn}" if ban.asn is not None else ""
    return " ".join(filter(None, (number, ban.as_name)))


def length(ban: LoggedBan) -> str:
    """Say how long it was or is to be."""
    return times.span(ban.bantime_seconds)
