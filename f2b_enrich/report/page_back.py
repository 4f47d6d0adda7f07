"""Who comes back: bans of one address, the worst of them, and growing ban times."""

from __future__ import annotations

from typing import TYPE_CHECKING

from f2b_enrich.report import charts_bars
from f2b_enrich.report import text_addresses as addresses
from f2b_enrich.report import text_words as words
from f2b_enrich.report.charts_bars import Bar
from f2b_enrich.report.page_parts import Section, table
from f2b_enrich.report.text_layout import few
from f2b_enrich.tables import Column

if TYPE_CHECKING:
    from f2b_enrich.report.figures import Figures
    from f2b_enrich.report.figures_addresses import Offender

_OFFENDERS = (
    *(Column("rank", right=True), Column("address")),
    *(Column("bans", right=True), Column("attempts", right=True)),
    *(Column("whose"), Column("hosts"), Column("jails"), Column("when")),
    *(Column("ban time"), Column("neighbours")),
)


def back(figures: Figures) -> Section:
    """Show who came back, how often, and for how long each was shut out."""
    return Section(
        name="back",
        title="Who comes back",
        parts=(_banned(figures), _offenders(figures), _ban_times(figures)),
    )


def _banned(figures: Figures) -> Section:
    rows = addresses.banned_rows(figures)
    if not rows:
        return Section(name="banned", title="Bans of one address")
    base = sum(one.addresses for one in figures.addresses.banned)
    bars = [
        Bar(
            name=often,
            count=int(of.replace(",", "")),
            label=f"{of} ({share})",
            more=f"{bans} bans",
        )
        for often, of, share, bans in rows
    ]
    about = f"percent of {words.counted(base, 'address')}"
    return Section(
        name="banned",
        title="Bans of one address",
        about=about,
        chart=charts_bars.bars(
            "banned", bars, noun="banned", what="addresses that were banned"
        ),
        table=table(f"Bans of one address, {about}", addresses.BANNED, rows),
    )


def _offenders(figures: Figures) -> Section:
    found, tied = figures.addresses.offenders, figures.addresses.tied
    notes = [words.tied(tied, "ban")] if tied else []
    if not found and not tied and figures.addresses.banned:
        notes = [addresses.NOBODY_TWICE]
    return Section(
        name="offenders",
        title="Repeat offenders",
        about="ranked by bans; neighbours are in the same subnet" if found else "",
        table=table(
            "Repeat offenders, ranked by bans",
            _OFFENDERS,
            [_offender(each) for each in found],
            head=1,
            is_wide=True,
        ),
        notes=tuple(notes),
    )


def _offender(one: Offender) -> list[str]:
    scanner = f"known scanner {one.scanner}" if one.scanner else ""
    whose = filter(None, (one.country_code, one.organisation, scanner))
    first, last = words.day(one.first_at), words.day(one.last_at)
    ban_time = addresses.ban_time(one)
    return [
        *(f"{one.rank:,}", one.ip, f"{one.bans:,}", f"{one.attempts:,}"),
        ", ".join(whose) or "not known",
        few(one.hosts, addresses.NAMES, one.host_count),
        few(one.jails, addresses.NAMES, one.jail_count),
        first if first == last else f"{first} to {last}",
        ban_time.removeprefix("ban time ") or "not known",
        addresses.neighbours(one) if one.neighbours else "none",
    ]


def _ban_times(figures: Figures) -> Section:
    found = figures.addresses.ban_times
    return Section(
        name="ban-times",
        title="Growth of ban time",
        about="by Fail2Ban's own count of an address" if found else "",
        table=table(
            "Ban times of first and later bans",
            addresses.BAN_TIMES,
            [addresses.ban_time_row(one) for one in found],
        ),
    )
