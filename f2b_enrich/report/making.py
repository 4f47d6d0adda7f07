"""A report's figures: asked for, counted side by side, put together."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from datetime import time
from typing import TYPE_CHECKING

from f2b_enrich.model import read_time
from f2b_enrich.report import (
    findings,
    hosts,
    places,
    returning,
    sharing,
    tables,
    world,
)
from f2b_enrich.report.figures import VERSION, Figures, ReportPeriod
from f2b_enrich.report.naming import Naming
from f2b_enrich.report.times import AROUND, MOST_HOSTS, times
from f2b_enrich.selection import Selection
from f2b_enrich.store import selected
from f2b_enrich.store.connection import open_reader

if TYPE_CHECKING:
    import sqlite3
    from datetime import datetime
    from pathlib import Path

    from f2b_enrich.report.figures_rankings import Scope
    from f2b_enrich.report.figures_times import Times
    from f2b_enrich.report.naming import OrganisationOf
    from f2b_enrich.report.part import Part
    from f2b_enrich.report.request import Request

WORTH_PROCESSES = 50_000
"""Bans from which on it pays to count them in several processes."""

MOST_PROCESSES = 2
"""Each has a part of all bans in memory, and bans go on meanwhile."""

FEWEST_WHOLE_DAYS = 7
"""Days of the period before of which the first may lack some hours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Counted:
    """A period's bans as they are counted, and when they began."""

    request: Request
    selection: Selection
    part: Part
    times: Times


def make(
    store: Path,
    request: Request,
    organisation_of: OrganisationOf,
    *,
    now: datetime,
    processes: int,
) -> Figures:
    """Count what is asked for in as many processes as there may be, or fewer.

    `organisation_of` gives key and name of the organisation of an AS number and name.

    Raises:
        StoreError: the store cannot be read.
    """
    with open_reader(store) as connection, selected.unchanging(connection):
        newest = selected.newest(connection)
        known = _known(connection, request)
        asked = _with_period_before(request, known)
        chosen = [
            selected.chosen(connection, selection_of(one, newest)) for one in asked
        ]
        is_small = sum(bans for _, bans in chosen) < WORTH_PROCESSES
        selections = [selection for selection, _ in chosen]
        by_host = selected.count_hosts(connection) <= MOST_HOSTS
        records = [_records(one, by_host=by_host) for one in asked]
        parts = sharing.count(
            store,
            list(map(wanted_of, asked, selections, records)),
            lambda part: hosts.asked(part, request),
            processes=1 if is_small else min(processes, MOST_PROCESSES),
        )
        counted = [
            _Counted(
                request=one,
                selection=selection,
                part=part,
                times=times(
                    part.quarters,
                    _recorded(connection, selection, told, part),
                    known,
                    one,
                    now=now,
                ),
            )
            for one, selection, told, part in zip(
                asked, selections, records, parts, strict=True
            )
        ]
        return _figures(connection, counted, organisation_of, now)


def _known(
    connection: sqlite3.Connection, request: Request
) -> tuple[datetime, datetime] | None:
    """Tell from when to when there are records of the hosts."""
    span = selected.span(connection, request.hosts)
    return None if span is None else (read_time(span[0]), read_time(span[1]))


def _with_period_before(
    request: Request, known: tuple[datetime, datetime] | None
) -> list[Request]:
    """Ask for the period before as well, if the records go back so far."""
    if known is None or not _goes_back(known[0], request):
        return [request]
    before = replace(request, since=request.before_since, until=request.since)
    return [request, before]


def _goes_back(first: datetime, request: Request) -> bool:
    """Tell whether records begin before the period before, or on its first day.

    What lacks of that day matters little only where it is one of several whole ones.
    """
    zone = request.zone
    ends = (request.before_since, request.since, request.until)
    begun, since, _ = local = [at.astimezone(zone) for at in ends]
    has_whole_days = not any(at.time() != time.min for at in local)
    if has_whole_days and (since.date() - begun.date()).days >= FEWEST_WHOLE_DAYS:
        return first.astimezone(zone).date() <= begun.date()
    return first <= request.before_since


def wanted_of(
    request: Request, selection: Selection, records: sharing.Records | None = None
) -> sharing.Wanted:
    """Say which bans of a selection are asked for."""
    return sharing.Wanted(
        selection=selection,
        countries=request.countries,
        networks=request.networks,
        without_jails=request.without_jails,
        without_scanners=request.without_scanners,
        top=request.top,
        is_brief=selection.since == request.before_since,
        records=records if _has_all(selection) else None,
    )


def selection_of(request: Request, newest: int) -> Selection:
    """Say which bans are read of a store whose last row is `newest`."""
    return Selection(
        since=request.since,
        until=request.until,
        newest=newest,
        hosts=request.hosts,
        services=request.services,
        jails=request.jails,
        attacks=request.attacks,
    )


def _has_all(selection: Selection) -> bool:
    """Tell whether a selection has all bans of its hosts."""
    return not (selection.services or selection.jails or selection.attacks)


def _records(request: Request, *, by_host: bool) -> sharing.Records:
    begin, end = request.since - AROUND, request.until + AROUND
    # Where clocks change by half an hour, both ends may be whole hours from UTC.
    months = (begin + number * AROUND for number in range((end - begin) // AROUND))
    return sharing.Records(
        by_host=by_host,
        by_quarter=any(
            at.astimezone(request.zone).minute != at.minute for at in (*months, end)
        ),
    )


def _recorded(
    connection: sqlite3.Connection,
    selection: Selection,
    records: sharing.Records,
    part: Part,
) -> Counter[tuple[str, int]]:
    """Count all that was recorded from before the period to behind it."""
    since, until = selection.since, selection.until
    spans = [(since - AROUND, until + AROUND)]
    if _has_all(selection):
        spans = [(since - AROUND, since), (until, until + AROUND)]
    found = Counter(part.recorded)
    for begin, end in spans:
        around, _ = selected.chosen(
            connection, replace(selection, since=begin, until=end)
        )
        found.update(
            selected.recorded(
                connection,
                around,
                by_host=records.by_host,
                by_quarter=records.by_quarter,
            )
        )
    return found


def _figures(
    connection: sqlite3.Connection,
    counted: list[_Counted],
    organisation_of: OrganisationOf,
    now: datetime,
) -> Figures:
    (this, *before), request = counted, counted[0].request
    part, top = this.part, request.top

    naming = Naming.of(part, organisation_of)

    def scope(service: str | None) -> Scope:
        note = request.notes.get(service, "") if service else ""
        return places.scope(part, service, naming, top=top, note=note)

    everything = scope(None)
    chosen = this.selection
    return Figures(
        version=VERSION,
        made_at=now,
        period=_period(request),
        filters=tables.filters(request),
        top=top,
        findings=findings.findings(_compared(this, before, everything)),
        totals=tables.totals(part, this.times),
        before=tables.totals(before[0].part, before[0].times) if before else None,
        before_label=request.before_label,
        everything=everything,
        services=tuple(map(scope, tables.services(part))),
        several_services=part.several_services,
        times=this.times,
        addresses=returning.addresses(
            part,
            lambda ip: selected.bans_of(connection, chosen, ip, request.without_jails),
            naming,
            top=top,
        ),
        attacks=tables.attacks(part, top),
        names=tables.names(part, top),
        whom=tables.whom(part, top),
        scanners=tables.scanners(part, left_out=request.without_scanners),
        coverage=tables.coverage(part),
        jails=tables.jails(
            part, selected.services(connection), selected.named_jails(connection)
        ),
        world=world.world(part),
        hosts=hosts.hosts(
            part,
            naming,
            selected.host_countries(connection),
            top=top,
            days=len(this.times.days),
        ),
    )


def _period(request: Request) -> ReportPeriod:
    return ReportPeriod(
        label=request.label,
        since=request.since,
        until=request.until,
        zone=request.zone.key,
    )


def _compared(
    this: _Counted, before: list[_Counted], everything: Scope
) -> findings.Compared:
    asked = this.request
    return findings.Compared(
        now=this.part,
        before=before[0].part if before else None,
        before_label=asked.before_label,
        everything=everything,
        times=this.times,
        before_times=before[0].times if before else None,
        some_attackers=asked.without_scanners
        or any((asked.countries, asked.networks, asked.attacks)),
    )
