"""The figures of a report: pure data that every form of it reads.

Bans, unique addresses and attempts are three numbers, and each figure says which it is.
An address counts once, wherever it counts; percentages are of `base`, the addresses
that a table is about, and stand between 0 and 100. Bans that only repeat others, those
of recidive, are in `repeats` alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

from f2b_enrich.report.figures_addresses import Addresses
from f2b_enrich.report.figures_attacks import Attacks, Names
from f2b_enrich.report.figures_places import Hosts, Whom, WorldMap
from f2b_enrich.report.figures_rankings import Measure, Scope
from f2b_enrich.report.figures_sources import Coverage, Jails, Scanners
from f2b_enrich.report.figures_times import Times

VERSION = 1
"""Of the JSON that these come to; it grows when a name goes or changes its meaning."""


LAST_NUMBER = 10
"""Up to this one bans are told apart by which of their address they are."""


FindingKind: TypeAlias = Literal[
    "change", "network", "new-class", "quiet-jail", "several-hosts", "gap"
]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportPeriod:
    """The time from `since` to before `until`, told in a time zone.

    `label` is how people say it, `October 2024`. Days and hours are those of `zone`,
    folded from quarter-hours of UTC: an IANA name, or the rule or the path of a
    machine's zone file that has no name.
    """

    label: str
    since: datetime
    until: datetime
    zone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """What a report is confined to, or leaves out: `service`, ('web', 'mail')."""

    what: str
    values: tuple[str, ...]
    leaves_out: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """Everything in a period, and how many of its days have records."""

    measure: Measure
    hosts: int
    days: int
    days_covered: int
    repeats: int
    cidr_bans: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What is worth a sentence; `numbers` are those that stand in it."""

    kind: FindingKind
    text: str
    numbers: dict[str, int | float | str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """A whole report. `before` is the period before, where it is all in the store.

    `several_services` addresses were banned on more than one service: the services'
    addresses less these repetitions are those of `totals`.
    """

    version: int
    made_at: datetime
    period: ReportPeriod
    filters: tuple[Filter, ...]
    top: int
    findings: tuple[Finding, ...]
    totals: Totals
    before: Totals | None
    before_label: str
    everything: Scope
    services: tuple[Scope, ...]
    several_services: int
    times: Times
    addresses: Addresses
    attacks: Attacks
    names: Names
    whom: Whom
    scanners: Scanners
    coverage: Coverage
    jails: Jails
    world: WorldMap
    hosts: Hosts
