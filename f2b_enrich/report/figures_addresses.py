"""Addresses that came back, and how long they were banned."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from f2b_enrich.report.figures_rankings import Tied


@dataclass(frozen=True, slots=True, kw_only=True)
class BannedTimes:
    """So many addresses were banned exactly so often."""

    bans: int
    addresses: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Offender:
    """An address that was banned more than once; its neighbours are in its subnet.

    `hosts` and `jails` are those of most of its bans, of as many as the counts tell.
    Ban times are seconds, -1 for ever, None not known; the first and the longest.
    """

    rank: int
    ip: str
    bans: int
    attempts: int
    host_count: int
    hosts: tuple[str, ...]
    jail_count: int
    jails: tuple[str, ...]
    country_code: str | None
    organisation: str | None
    scanner: str | None
    first_at: datetime
    last_at: datetime
    first_bantime: int | None
    longest_bantime: int | None
    neighbours: int
    neighbours_bans: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BanTime:
    """How long bans were that were the `number`th of their address, as fail2ban counts.

    The tenth is that and all that follow; bans of which it is not known are the first.
    The median in seconds is of those with an end; `for_ever` have none.
    """

    number: int
    bans: int
    median_seconds: int | None
    for_ever: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """Who came back: how many were banned once, twice, and so on, and the worst."""

    banned: tuple[BannedTimes, ...]
    offenders: tuple[Offender, ...]
    tied: Tied | None
    ban_times: tuple[BanTime, ...]
