"""A ban as a row for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from f2b_enrich import attacks
from f2b_enrich.cli import times
from f2b_enrich.inert import cut
from f2b_enrich.model import FOR_EVER
from f2b_enrich.spans import span
from f2b_enrich.tables import Column, fit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime, tzinfo

    from f2b_enrich.model import Ban
    from f2b_enrich.store.lists import LoggedBan

PLANNED = "~"
"""Marks an end that was planned and has passed, while no unban was reported."""

PLANNED_NOTE = f"{PLANNED} planned end; no unban was reported"

_LONGEST_ATTACK = 24
_ROOM_FOR_LAST = 14
"""Columns of a screen: a time of a mail, and the beginning of anything else."""


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
    return span(ban.bantime_seconds)


def attack(ban: LoggedBan) -> str | None:
    """Word the leading class and count the others; of a repeat say what it repeats."""
    if ban.is_repeat:
        return f"repeats {ban.repeated_jail}" if ban.repeated_jail else "repeat"
    if ban.attack is None:
        return None
    words = attacks.CLASSES.get(ban.attack, ban.attack)
    more = len(ban.attacks) - 1
    return cut(words, _LONGEST_ATTACK) + (f" +{more}" if more > 0 else "")


def fitted(
    columns: Sequence[Column],
    rows: Sequence[Sequence[object]],
    *,
    width: int | None,
    may_go: Sequence[str],
    cut_last: bool = True,
) -> list[str]:
    """Lay rows out; where the screen is too narrow these columns go, in this order."""
    kept, shown = list(columns), [list(row) for row in rows]
    for title in may_go:
        if width is None or _fits(list(fit(kept, shown)), width):
            break
        at = [column.title for column in kept].index(title)
        del kept[at]
        shown = [[*row[:at], *row[at + 1 :]] for row in shown]
    return list(fit(kept, shown, width=width if cut_last else None))


def notes(heading: str, ends: Iterable[str | None]) -> Iterator[str]:
    """Explain the mark of the ends below a heading, where they are shown."""
    marked = any(end is not None and end.startswith(PLANNED) for end in ends)
    if marked and "  ended" in heading:
        yield PLANNED_NOTE


def _fits(lines: Sequence[str], width: int) -> bool:
    """Tell whether the last column has room, for all of it or for what says most."""
    longest = max(map(len, lines))
    start_of_last = lines[0].rfind("  ") + 2
    return min(longest, start_of_last + _ROOM_FOR_LAST) <= width
