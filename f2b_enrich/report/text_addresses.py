"""Who came back, as text: bans per address, the worst, and how long they were out."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from f2b_enrich.address import read_address
from f2b_enrich.report import text_words as words
from f2b_enrich.report.figures import LAST_NUMBER
from f2b_enrich.report.text_layout import few, heading, paragraph, short, table
from f2b_enrich.tables import Column

if TYPE_CHECKING:
    from collections.abc import Iterator

    from f2b_enrich.report.figures import Figures
    from f2b_enrich.report.figures_addresses import BannedTimes, BanTime, Offender

_STEPS = (1, 2, 3, 4, 5, 10, 20, 50, 100, 1_000)
"""Addresses that were banned more often than one of these, up to the next, are told
together."""

_IN_FULL = 10
"""Of so many offenders all is told; of others, who are tied with them, one line."""

NAMES = 3
"""Hosts and jails of an address that are named."""

NOBODY_TWICE = "No address was banned twice."


def banned(figures: Figures, width: int) -> Iterator[str]:
    """Tell how many addresses were banned once, twice, and more often."""
    each = figures.addresses.banned
    if not each:
        return
    base = sum(one.addresses for one in each)
    yield from heading(
        "Bans of one address",
        about=f"percent of {words.counted(base, 'address')}",
        width=width,
    )
    yield from table(BANNED, banned_rows(figures), width=width)


BANNED = (
    Column("banned", limit=30),
    *(Column("addresses", right=True), Column("percent", right=True)),
    Column("bans", right=True),
)


def banned_rows(figures: Figures) -> list[list[str]]:
    """Write a line for once, twice, and so on, more of them together."""
    each = figures.addresses.banned
    base = sum(one.addresses for one in each)
    in_order = sorted(each, key=lambda one: one.bans)
    rows = []
    for _, some in groupby(in_order, key=_step):
        group = list(some)
        addresses = sum(one.addresses for one in group)
        bans = sum(one.addresses * one.bans for one in group)
        share = words.part_of(addresses, base)
        rows.append([_often(group), f"{addresses:,}", share, f"{bans:,}"])
    return rows


def _step(one: BannedTimes) -> int:
    return sum(1 for step in _STEPS if one.bans > step)


def _often(group: list[BannedTimes]) -> str:
    first, last = group[0].bans, group[-1].bans
    return words.times(first) if first == last else f"{first:,} to {last:,} times"


def offenders(figures: Figures, width: int) -> Iterator[str]:
    """Name the addresses with the most bans, where they came, and their neighbours."""
    found = figures.addresses.offenders
    tied = figures.addresses.tied
    if not found and not tied:
        if figures.addresses.banned:
            yield from heading("Repeat offenders", width=width)
            yield from paragraph(NOBODY_TWICE, width=width)
        return
    yield from heading("Repeat offenders", about="ranked by bans", width=width)
    for number, offender in enumerate(found):
        lines = _offender(offender)
        for line in lines if number < _IN_FULL else lines[:1]:
            first = f"{offender.rank:>6,}  " if line is lines[0] else " " * 8
            yield from paragraph(line, width=width, first=first, rest=" " * 8)
    if tied:
        yield from paragraph(words.tied(tied, "ban"), width=width)


def _offender(offender: Offender) -> list[str]:
    whose = ", ".join(
        filter(None, (offender.country_code, short(offender.organisation or "")))
    )
    scanner = f"known scanner {short(offender.scanner)}" if offender.scanner else ""
    counts = (
        f"{words.counted(offender.bans, 'ban')}, "
        f"{words.counted(offender.attempts, 'attempt')}"
    )
    hosts = few(offender.hosts, NAMES, offender.host_count)
    jails = few(offender.jails, NAMES, offender.jail_count)
    first, last = words.day(offender.first_at), words.day(offender.last_at)
    when = first if first == last else f"{first} to {last}"
    told = "; ".join(filter(None, (when, ban_time(offender))))
    lines = [
        f"{offender.ip}: {'; '.join(filter(None, (counts, whose, scanner)))}",
        f"on {hosts}; jails {jails}; {told}",
    ]
    if offender.neighbours:
        lines.append(f"neighbours: {neighbours(offender)}")
    return lines


def neighbours(offender: Offender) -> str:
    """Count the other banned addresses of its subnet; there are some."""
    subnet = read_address(offender.ip).subnet or "the same subnet"
    others = words.counted(offender.neighbours, "other address")
    return f"{others} of {subnet}, {words.counted(offender.neighbours_bans, 'ban')}"


def ban_time(offender: Offender) -> str:
    """Say how long its bans were at first and at most, where that is known."""
    first, longest = offender.first_bantime, offender.longest_bantime
    if longest is None or first == longest:
        return "" if longest is None else f"ban time {words.span(longest)}"
    if first is None:
        return f"longest ban time {words.span(longest)}"
    return f"ban time {words.span(first)} at first, {words.span(longest)} at most"


def ban_times(figures: Figures, width: int) -> Iterator[str]:
    """Show how ban times grow with every ban of the same address."""
    found = figures.addresses.ban_times
    if not found:
        return
    yield from heading(
        "Growth of ban time", about="by Fail2Ban's own count of an address", width=width
    )
    rows = [ban_time_row(one) for one in found[: figures.top]]
    yield from table(BAN_TIMES, rows, width=width)
    more = found[figures.top :]
    if more:
        bans = words.counted(sum(one.bans for one in more), "ban")
        yield from paragraph(
            f"and {bans} that were the {words.ordinal(more[0].number)} or later",
            width=width,
        )


BAN_TIMES = (
    *(Column("ban", right=True), Column("bans", right=True)),
    *(Column("median ban time", right=True), Column("for ever", right=True)),
)


def ban_time_row(one: BanTime) -> list[str]:
    """Write how long the first bans were, the second, and so on."""
    median = "-" if one.median_seconds is None else words.span(one.median_seconds)
    number = words.ordinal(one.number)
    if one.number == LAST_NUMBER:
        number += " or later"
    return [number, f"{one.bans:,}", median, f"{one.for_ever:,}"]
