"""What became of the mail about a ban, in the words of all lists."""

from __future__ import annotations

from typing import TYPE_CHECKING

from f2b_enrich.cli import times
from f2b_enrich.inert import cut, printable
from f2b_enrich.model import OutboxState
from f2b_enrich.store.filling import FILLING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, tzinfo

    from f2b_enrich.figures import Period
    from f2b_enrich.model import OutboxRow
    from f2b_enrich.store.fates import Fate, Told

_LONGEST_REASON = 200
_CAME_BACK = ", came back"


def fates(
    found: Sequence[Fate],
    banned_at: datetime,
    *,
    origins: str,
    zone: tzinfo | None,
    says_why: bool = False,
) -> str:
    """Say it of the alerts to all recipients; `says_why` also of those that wait."""
    if not found:
        return "none" if "live" in origins.split(", ") else "none (imported)"
    words = (_fate(each, banned_at, zone, says_why=says_why) for each in found)
    return "; ".join(dict.fromkeys(words))


def _fate(
    fate: Fate, banned_at: datetime, zone: tzinfo | None, *, says_why: bool
) -> str:
    alert = fate.alert
    if alert.state is OutboxState.FOLDED and fate.instead is not None:
        return _instead(fate.instead, banned_at, zone)
    if alert.state is OutboxState.HELD:
        return _with(alert.last_error if says_why else None, "waits for a digest")
    return state(alert, banned_at, zone, came_back=fate.came_back)


def _instead(told: Told, banned_at: datetime, zone: tzinfo | None) -> str:
    name, row = told_in(told, banned_at, zone), told.row
    # That a digest was sent is what everybody expects of one.
    if row.state is OutboxState.SENT and told.period is not None:
        return f"{name}{_CAME_BACK}" if told.came_back else name
    if row.state is OutboxState.HELD and told.period is not None:
        return f"{name}, {FILLING}"
    return f"{name}, {state(row, banned_at, zone, came_back=told.came_back)}"


def told_in(told: Told, banned_at: datetime, zone: tzinfo | None) -> str:
    """Name the mail that tells of a ban instead of its own alert."""
    if told.period is None:
        return f"in mail {told.row.id}"
    return digest(told.period, banned_at, zone)


def digest(period: Period, near: datetime, zone: tzinfo | None) -> str:
    """Name a digest by what it is about; its date may be left out on the day `near`."""
    day = times.day(period.since, zone)
    if period.kind == "daily":
        return f"digest {day}"
    if period.kind == "weekly":
        return f"weekly {day}"
    if period.kind == "hourly":
        return f"hourly {times.stamp(period.since, zone)}"
    until = times.stamp(period.until, zone)
    return f"flood digest {until.removeprefix(f'{times.day(near, zone)} ')}"


def state(
    row: OutboxRow, near: datetime, zone: tzinfo | None, *, came_back: bool = False
) -> str:
    """Say when a mail went or goes, or why not; without the date on the day `near`.

    One that came back stays `sent`, for a server did take it.
    """
    if row.sent_at is not None:
        words = f"{row.state} {times.shortly_after(row.sent_at, near, zone)}"
        return f"{words}{_CAME_BACK}" if came_back else words
    if row.state is OutboxState.SKIPPED:
        return _with(row.last_error, "left out")
    words = str(row.state)
    if row.state is OutboxState.DUE:
        words += f" {times.shortly_after(row.due_at, near, zone)}"
    return _with(row.last_error, words)


def _with(reason: str | None, words: str) -> str:
    if not reason:
        return words
    return f"{words}: {cut(printable(reason), _LONGEST_REASON)}"
