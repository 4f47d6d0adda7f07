"""`show`: all that is known about one address."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from itertools import groupby
from typing import TYPE_CHECKING

import click

from f2b_enrich.cli import ban_table, show_known, times
from f2b_enrich.cli.opening import reading
from f2b_enrich.cli.options import with_settings
from f2b_enrich.cli.show_bans import table
from f2b_enrich.cli.show_facts import gather
from f2b_enrich.cli.show_record import json_lines
from f2b_enrich.cli.tables import beside, screen_width
from f2b_enrich.inert import cut, listed, printable
from f2b_enrich.mail import campaigns
from f2b_enrich.mail.past import ending
from f2b_enrich.mail.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import tzinfo

    from f2b_enrich.cli.show_facts import Page
    from f2b_enrich.config import Settings
    from f2b_enrich.model import Neighbours
    from f2b_enrich.store.addresses import JailRecord

FEW = 10
"""Bans shown unless all are asked for."""

_MOST_NAMES = 5
"""How many hosts, jails or user names are named."""

_LONGEST_NAME = 40


@click.command(
    epilog="\b\nExamples:\n"
    "  f2b-enrich show 192.0.2.7\n"
    "  f2b-enrich show 2001:db8::7 --all --lines\n"
    "  f2b-enrich show 5f0c2a9e --json"
)
@click.argument("key", metavar="IP")
@click.option("--all", "show_all", is_flag=True, help=f"Every ban, not only {FEW}.")
@click.option("--lines", "with_lines", is_flag=True, help="The log lines of each ban.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@with_settings
def show(
    settings: Settings,
    key: str,
    *,
    show_all: bool,
    with_lines: bool,
    as_json: bool,
) -> None:
    """Show all that is recorded about IP.

    IP is an address, a network or other text that was banned; or the id of a ban, its
    first eight characters are enough. Exit code 1 if nothing is recorded.
    """
    now = datetime.now(UTC)
    with reading(settings) as store:
        page = gather(
            store,
            key,
            host=settings.host_name,
            most=None if show_all else FEW,
            with_lines=with_lines,
            now=now,
        )
        # The log lines are read as they are printed: thousands of bans have too many.
        if as_json:
            lines = json_lines(page, now)
        else:
            lines = told(page, now=now, zone=None, width=screen_width())
        for line in lines:
            click.echo(line)


def told(
    page: Page, *, now: datetime, zone: tzinfo | None, width: int | None
) -> Iterator[str]:
    """Word the page for people."""
    known = show_known.known(page.ip, page.enrichment, zone)
    yield beside((page.ip, *known), width=width)
    scanner = show_known.scanner(page.enrichment) if page.enrichment else None
    if scanner:
        yield printable(scanner)
    yield printable(_in_force(page, now, zone))
    yield from map(printable, _around(page, now, zone))
    history = beside(_history(page, zone), width=width)
    yield from filter(None, (history, printable(_names(page))))
    for walk in page.campaigns:
        yield beside(campaigns.pieces(walk, zone), width=width)
    if page.shown:
        yield from table(page, now=now, zone=zone, width=width)
    yield from _notes(page)


def _in_force(page: Page, now: datetime, zone: tzinfo | None) -> str:
    newest = [record.newest for record in page.records]
    if not newest:
        return "never banned itself"
    standing = [
        f"{ban.jail} on {ban.host}, "
        + ban_table.standing(ban, now, zone).removeprefix("in force, ")
        for ban in newest
        if ban_table.stands(ban, now)
    ]
    unknown = [
        f"{ban.jail} on {ban.host}"
        for ban in newest
        if ban_table.stands(ban, now) is None
    ]
    told = [f"in force: {'; '.join(standing)}"] if standing else []
    if unknown:
        told.append(
            f"not known whether in force: {'; '.join(unknown)} "
            "(fail2ban named no ban time)"
        )
    return "; ".join(told) or ban_table.standing(newest[0], now, zone)


def _around(page: Page, now: datetime, zone: tzinfo | None) -> Iterator[str]:
    also = "also " if page.records else ""
    for network, bans in groupby(page.around, lambda ban: ban.ip):
        told = (
            f"{ban.jail} on {ban.host}, {ban_table.standing(ban, now, zone)}"
            for ban in bans
        )
        yield f"{also}inside banned {network}: {'; '.join(told)}"


def _history(page: Page, zone: tzinfo | None) -> Iterator[str]:
    parts = [*_own(page, zone), _elsewhere(page)]
    if page.neighbours is not None:
        parts.append(_neighbourhood(page.neighbours))
    told = list(filter(None, parts))
    yield from (f"{part};" for part in told[:-1])
    yield from told[-1:]


def _own(page: Page, zone: tzinfo | None) -> Iterator[str]:
    own = [record for record in page.records if record.host == page.host]
    bans = [record for record in own if not record.is_repeat]
    repeats = [record for record in own if record.is_repeat]
    if bans:
        failures = sum(record.failures for record in bans)
        yield (
            f"{_counted(bans, 'ban')}, {counted(failures, 'failure')}, "
            f"{_days(bans, zone)}, {page.host}: {_busiest(_jails(bans), 'jail')}"
        )
    if repeats:
        # Where they stand alone nothing else has told when and where.
        where = "" if bans else f", {_days(repeats, zone)}, {page.host}"
        names = ", ".join(record.jail for record in repeats[:_MOST_NAMES])
        yield f"{_counted(repeats, 'repeat')} ({names}){where}"


def _counted(records: Sequence[JailRecord], noun: str) -> str:
    return counted(sum(record.bans for record in records), noun)


def _days(records: Sequence[JailRecord], zone: tzinfo | None) -> str:
    first = times.day(min(record.first_at for record in records), zone)
    last = times.day(max(record.newest.banned_at for record in records), zone)
    return first if first == last else f"{first} to {last}"


def _jails(records: Sequence[JailRecord]) -> Counter[str]:
    return Counter({record.jail: record.bans for record in records})


def _elsewhere(page: Page) -> str:
    others = [record for record in page.records if record.host != page.host]
    hosts: Counter[str] = Counter()
    for each in others:
        if not each.is_repeat:
            hosts[each.host] += each.bans
    told = [_busiest(hosts, "host")] if hosts else []
    repeats = [record for record in others if record.is_repeat]
    if repeats:
        told.append(_counted(repeats, "repeat"))
    return f"other hosts: {', '.join(told)}" if told else ""


def _busiest(bans: Counter[str], noun: str) -> str:
    named = [f"{name} {count:,}" for name, count in bans.most_common(_MOST_NAMES)]
    more = len(bans) - _MOST_NAMES
    if more > 0:
        named.append(counted(more, f"more {noun}"))
    return ", ".join(named)


def _neighbourhood(near: Neighbours) -> str:
    if not near.addresses:
        count = "too many to count" if near.at_least else "no other address"
        return f"{near.subnet}: {count} in {near.days} days"
    least = "at least " if near.at_least else ""
    noun = "other address" if near.addresses == 1 else "other addresses"
    most = [f"{ending(one, near.subnet)} {one.bans:,}" for one in near.most]
    if near.at_least or near.addresses > len(near.most):
        most.append("...")
    return (
        f"{near.subnet}: {least}{near.addresses:,} {noun}, "
        f"{least}{counted(near.bans, 'ban')} in {near.days} days ({', '.join(most)})"
    )


def _names(page: Page) -> str:
    if not page.names:
        return ""
    named = [
        f"{listed(cut(each.value, _LONGEST_NAME))} {each.lines:,}"
        for each in page.names[:_MOST_NAMES]
    ]
    more = len(page.names) - _MOST_NAMES
    if more > 0:
        named.append(counted(more, "other"))
    return f"names: {', '.join(named)}"


def _notes(page: Page) -> Iterator[str]:
    more = page.listed - len(page.shown)
    hints = []
    if more:
        hints.append(f"{more:,} more: f2b-enrich show {page.ip} --all")
    if page.shown and page.lines_of is None:
        hints.append("log lines: --lines")
    if hints:
        yield printable(f"  {'; '.join(hints)}")
