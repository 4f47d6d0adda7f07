"""Numbers, times and spans as the text of a report says them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from f2b_enrich import spans
from f2b_enrich.inert import printable

if TYPE_CHECKING:
    from datetime import datetime

    from f2b_enrich.report.figures_rankings import Tied

_MANIFOLD = 10
"""From so many times the number on nobody reads percentages."""

_ES = ("s", "x", "sh", "ch")

SERVICES = {"ssh": "SSH", "ftp": "FTP", "voip": "VoIP", "dns": "DNS", "vpn": "VPN"}
"""Services that are not called by their word."""


def counted(number: int, noun: str) -> str:
    """Write `1 address`, `1,284 addresses`, `3 countries`."""
    if number == 1:
        return f"{number:,} {noun}"
    if noun.endswith("y") and noun[-2] not in "aeiou":
        return f"{number:,} {noun[:-1]}ies"
    return f"{number:,} {noun}{'es' if noun.endswith(_ES) else 's'}"


def percent(value: float) -> str:
    """Write one place behind the point; a little is not nothing."""
    return "<0.1%" if 0 < value < 0.05 else f"{value:.1f}%"


def part_of(part: int, base: int) -> str:
    """Write a part as a percentage; of nothing there is none."""
    return percent(100 * part / base) if base else "-"


def change(now: int, before: int) -> str:
    """Write how far a number moved, in percent of what it was."""
    if not before:
        return "-" if not now else "new"
    if now == before:
        return "same"
    if now >= _MANIFOLD * before:
        return f"x {now / before:,.0f}"
    return f"{100 * (now - before) / before:+,.1f}%"


def span(seconds: int | None) -> str:
    """Write a ban time."""
    return spans.span(seconds) or "not known"


def minute(when: datetime) -> str:
    """Write a time as the clocks of its zone show it."""
    return f"{when:%Y-%m-%d %H:%M}"


def day(when: datetime) -> str:
    """Write the date of its zone."""
    return f"{when:%Y-%m-%d}"


def times(number: int) -> str:
    """Write once, twice, 3 times."""
    return {1: "once", 2: "twice"}.get(number, f"{number:,} times")


def service(name: str | None) -> str:
    """Name a service as people do; None is all of them."""
    return "all services" if name is None else SERVICES.get(name, printable(name))


def tied(more: Tied, noun: str, *, kind: str = "") -> str:
    """Say that the end of a ranking is not listed, as its places are all equal.

    `kind` is what they are, where no other is listed above them.
    """
    places = counted(more.count, kind) if kind else f"and {more.count:,} more"
    return f"{places} with {counted(more.each, noun)} each, tied for rank {more.rank:,}"


def ordinal(number: int) -> str:
    """Write 1st, 2nd, 3rd, 11th, 21st, 112th."""
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")  # codespell:ignore nd
    if number % 100 in {11, 12, 13}:
        ending = "th"
    return f"{number:,}{ending}"
