"""Times as the clocks of a zone show them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime, tzinfo


def local(when: datetime, zone: tzinfo | None) -> datetime:
    """Give a time as a clock in the zone shows it; None is the machine's zone."""
    try:
        return when.astimezone(zone)
    except (OverflowError, ValueError):  # the last day of 9999, east of Greenwich
        return when


def zone_name(when: datetime) -> str:
    """Name the zone of a local time, `CET` or `UTC+03`."""
    name = when.tzname() or "UTC"
    # Zones without letters of their own are called by their distance.
    return f"UTC{name}" if name[0] in "+-" else name
