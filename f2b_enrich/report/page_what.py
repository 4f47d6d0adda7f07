"""What was tried: classes of attack, user names, and who attacks whom."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from f2b_enrich.report import charts_bars, charts_cross
from f2b_enrich.report import text_attacks as attacks
from f2b_enrich.report import text_words as words
from f2b_enrich.report.charts_bars import Bar
from f2b_enrich.report.page_parts import Section, table
from f2b_enrich.report.text_cross import others_told
from f2b_enrich.tables import Column

if TYPE_CHECKING:
    from f2b_enrich.report.figures import Figures
    from f2b_enrich.report.figures_rankings import Cross


def what(figures: Figures) -> Section:
    """Show the classes of attack, where they come from and go to, and user names."""
    found = figures.attacks
    return Section(
        name="what",
        title="What they tried",
        parts=(
            _classes(figures),
            cross(
                "classes-countries",
                "Attacks by country",
                found.by_country,
                sides=("class", "country"),
                between="from",
            ),
            cross(
                "classes-services",
                "Attacks by service",
                _named(found.by_service),
                sides=("class", "service"),
            ),
            _names(figures),
        ),
    )


def _named(by_service: Cross) -> Cross:
    """Call services in its columns as everywhere on the page."""
    columns = tuple((key, words.service(name)) for key, name in by_service.columns)
    return replace(by_service, columns=columns)


def _classes(figures: Figures) -> Section:
    found = figures.attacks
    if not found.classes:
        return Section(name="classes", title="Attacks by class")
    base = words.counted(figures.totals.measure.addresses, "address")
    bars = [
        Bar(
            name=each.name,
            count=each.addresses,
            label=f"{each.addresses:,} ({words.percent(each.percent)})",
            more=f"{words.counted(each.bans, 'ban')}, "
            f"{words.counted(each.lines, 'log line')}",
        )
        for each in found.classes[: figures.top]
    ]
    return Section(
        name="classes",
        title="Attacks by class",
        about=f"percent of {base}; {attacks.SEVERAL}",
        chart=charts_bars.bars("classes", bars, noun="class", what="classes of attack"),
        table=table(
            f"Classes of attack, percent of {base}",
            attacks.CLASSES,
            attacks.class_rows(found),
        ),
        notes=(attacks.LEADING,),
    )


def _names(figures: Figures) -> Section:
    found = figures.names
    if not found.base:
        return Section(name="names", title="User names tried")
    bars = [
        Bar(
            name=each.name,
            count=each.addresses,
            label=f"{each.addresses:,}",
            more=words.counted(each.bans, "ban"),
        )
        for each in found.names[: figures.top]
    ]
    about = f"by {words.counted(found.base, 'address')} that tried any"
    chart = charts_bars.bars("names", bars, noun="user name", what="user names tried")
    return Section(
        name="names",
        title="User names tried",
        about=about,
        chart=chart if bars else None,
        table=table(
            f"User names tried {about}", attacks.NAMES, attacks.name_rows(found), head=1
        ),
        notes=tuple(attacks.about_names(found)),
    )


def whom(figures: Figures) -> Section:
    """Set the countries of addresses against hosts, and against hosts' countries."""
    found = figures.whom
    return Section(
        name="whom",
        title="Who attacks whom",
        parts=(
            cross(
                "whom-hosts",
                "Who attacks which host",
                found.by_host,
                sides=("country", "host"),
            ),
            cross(
                "whom-countries",
                "Who attacks which country",
                found.by_host_country,
                sides=("country", "host country"),
            ),
        ),
    )


def cross(
    name: str, title: str, wanted: Cross, *, sides: tuple[str, str], between: str = "on"
) -> Section:
    """Give the addresses in each field of a table of two sides."""
    if not wanted.cells:
        return Section(name=name, title=title)
    cells = {(cell.row, cell.column): cell.addresses for cell in wanted.cells}
    rows = [
        [
            name_of_row,
            *(_count(cells.get((key, column))) for column, _ in wanted.columns),
        ]
        for key, name_of_row in wanted.rows
    ]
    columns = (Column(sides[0]), *(Column(of, right=True) for _, of in wanted.columns))
    return Section(
        name=name,
        title=title,
        about=attacks.FIELDS,
        chart=charts_cross.matrix(
            name, wanted, what=title, sides=sides, between=between
        ),
        is_broad=True,
        table=table(f"{title}, {attacks.FIELDS}", columns, rows, is_wide=True),
        notes=(others_told(wanted.others, sides),) if wanted.others else (),
    )


def _count(addresses: int | None) -> str:
    return f"{addresses:,}" if addresses else "0"
