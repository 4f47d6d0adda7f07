"""What the figures rest on: known scanners, sources of places, jails."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from f2b_enrich.report.figures_rankings import Measure


@dataclass(frozen=True, slots=True, kw_only=True)
class ScannerCount:
    """A known scanner: it looks at everybody."""

    name: str
    addresses: int
    bans: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Scanners:
    """Known scanners, and both totals; whether the other figures leave them out."""

    left_out: bool
    everything: Measure
    without: Measure
    scanners: tuple[ScannerCount, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where places come from, of how many addresses, looked up from when to when."""

    source: str
    addresses: int
    oldest_at: datetime
    newest_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """Of how many addresses the place is known; the three add up to all.

    `looked_up_later` bans began more than 30 days before their address was looked up.
    """

    to_city: int
    to_country: int
    unknown: int
    looked_up_later: int
    sources: tuple[Source, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class JailCount:
    """A jail; `is_known` tells that something says what service it guards."""

    jail: str
    service: str
    bans: int
    addresses: int
    is_known: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Jails:
    """The jails of the report, and bans of those that it was told to leave out."""

    jails: tuple[JailCount, ...]
    left_out: tuple[JailCount, ...]
