"""Numbers, spans and times in the words of a mail."""

from __future__ import annotations

from typing import TYPE_CHECKING

from f2b_enrich.clocks import local, zone_name

if TYPE_CHECKING:
    from datetime import datetime, tzinfo

_UNITS = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))


def ordinal(number: int) -> str:
    """Write 1st, 2nd, 3rd, 11th, 21st, 112th."""
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")  # codespell:ignore nd
    if number % 100 in {11, 12, 13}:
        ending = "th"
    return f"{number}{ending}"


def counted(number: int, noun: str) -> str:
    """Write `1 failure`, `1,284 failures`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def span(seconds: int) -> str:
    """Write a span in its two largest units, `1 day 1 hour`."""
    words = []
    for unit, length in _UNITS:
        count, seconds = divmod(seconds, length)
        if count:
            words.append(counted(count, unit))
    return " ".join(words[:2]) or "0 seconds"


def moment(when: datetime, zone: tzinfo | None) -> str:
    """Write a time as its reader's clock shows it then; None is the machine's zone."""
    there = local(when, zone)
    return f"{there:%a %Y-%m-%d %H:%M:%S} {zone_name(there)}"


def minute(when: datetime, zone: tzinfo | None) -> str:
    """Write a time of long ago: `2026-09-30 03:12`."""
    return f"{local(when, zone):%Y-%m-%d %H:%M}"


def day(when: datetime, zone: tzinfo | None) -> str:
    """Write the day on which something was, on its reader's calendar."""
    return f"{local(when, zone):%Y-%m-%d}"
