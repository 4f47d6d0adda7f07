"""When bans began: by day, with gaps that are no zeros, and by weekday and hour."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from f2b_enrich.gaps import SHORTEST_GAP, Gap, gaps, usual_gap
from f2b_enrich.report.counting import QUARTER_SECONDS
from f2b_enrich.report.figures_times import Day, Outage, Times

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from zoneinfo import ZoneInfo

    from f2b_enrich.report.figures_times import DayState
    from f2b_enrich.report.request import Request

FEWEST_A_DAY = 5
"""Bans of an ordinary day from which on a host's silence means something."""

AROUND = timedelta(days=31)
"""How far around a period records are asked for, to tell a silence at its ends."""

MOST_HOSTS = 50
"""Hosts up to which the silence of each is looked for."""

_DAYS, _HOURS = 7, 24


class Folding:
    """Turns quarter-hours of UTC into days and hours of a zone."""

    def __init__(self, zone: ZoneInfo) -> None:
        """Take the zone."""
        self._zone = zone

    def local(self, quarter: int) -> datetime:
        """Give the local time at which a quarter-hour began."""
        at = datetime.fromtimestamp(quarter * QUARTER_SECONDS, UTC)
        return at.astimezone(self._zone)

    def days(self, quarters: Mapping[int, int]) -> Counter[date]:
        """Add up by local day."""
        days: Counter[date] = Counter()
        for quarter, found in quarters.items():
            days[self.local(quarter).date()] += found
        return days

    def hours(self, quarters: Mapping[int, int]) -> tuple[tuple[int, ...], ...]:
        """Add up by local weekday, Monday first, and hour."""
        hours = [[0] * _HOURS for _ in range(_DAYS)]
        for quarter, found in quarters.items():
            at = self.local(quarter)
            hours[at.weekday()][at.hour] += found
        return tuple(map(tuple, hours))


def times(
    quarters: Mapping[int, int],
    recorded: Mapping[tuple[str, int], int],
    known: tuple[datetime, datetime] | None,
    request: Request,
    *,
    now: datetime,
) -> Times:
    """Tell when bans began; `recorded` is all that the same hosts recorded.

    It is by host and by the first quarter of each hour, in zones that need it by each
    quarter, and begins and ends `AROUND` the request: a silence may be longer than
    that. The records begin and end at `known`.
    """
    folding = Folding(request.zone)
    bans = folding.days(quarters)
    by_host = _by_host(recorded, folding)
    days = sum(by_host.values(), Counter[date]())
    listed = days_of(request)
    silent = [gap for gap in gaps(days) if _touches(gap, listed)]
    missing = {day for gap in silent for day in _each(gap.first, gap.last)}
    states: dict[date, DayState] = dict.fromkeys(missing, "gap")
    if usual_gap(days) is None:
        states |= dict.fromkeys({*listed} - {*days}, "quiet")
    first, last = _span(known, request, now)
    usual = sum(days.values()) / len(days) if days else 0.0
    outages = [
        Outage(host=None, first=gap.first, last=gap.last, usual=usual) for gap in silent
    ]
    outages += _of_hosts(by_host, missing, listed, last)
    return Times(
        days=tuple(
            Day(day=day, bans=bans[day], state=_state(day, first, last, states))
            for day in listed
        ),
        outages=tuple(outages),
        hours=folding.hours(quarters),
    )


def _by_host(
    recorded: Mapping[tuple[str, int], int], folding: Folding
) -> dict[str, Counter[date]]:
    day_of = {at: folding.local(at).date() for at in {at for _, at in recorded}}
    by_host: dict[str, Counter[date]] = {}
    for host in sorted({host for host, _ in recorded}):
        by_host[host] = Counter()
    for (host, at), found in recorded.items():
        by_host[host][day_of[at]] += found
    return by_host


def _touches(gap: Gap, listed: Sequence[date]) -> bool:
    return gap.first <= listed[-1] and gap.last >= listed[0]


def days_of(request: Request) -> tuple[date, ...]:
    """List the days of a request in its zone, also those of which it has a part."""
    last = request.until - timedelta(microseconds=1)
    ends = (at.astimezone(request.zone).date() for at in (request.since, last))
    return tuple(_each(*ends))


def _each(first: date, last: date) -> Iterator[date]:
    for number in range((last - first).days + 1):
        yield first + timedelta(days=number)


def _span(
    known: tuple[datetime, datetime] | None, request: Request, now: datetime
) -> tuple[date | None, date]:
    """Tell the first and the last day with records: the last days may be quiet ones."""
    today = now.astimezone(request.zone).date()
    if known is None:
        return None, today
    first, last = (at.astimezone(request.zone).date() for at in known)
    return first, min(last + timedelta(days=SHORTEST_GAP), today)


def _state(
    day: date, first: date | None, last: date, silent: Mapping[date, DayState]
) -> DayState:
    if first is None or day < first:
        return "before"
    if day > last:
        return "after"
    return silent.get(day, "data")


def _of_hosts(
    by_host: Mapping[str, Counter[date]],
    missing: set[date],
    listed: Sequence[date],
    last: date,
) -> Iterable[Outage]:
    """Find the silence of single hosts, where others went on; it may still last."""
    for host, days in by_host.items():
        usual = days.total() / len(days)
        if not host or usual < FEWEST_A_DAY:
            continue
        end = min(max(listed[-1], *days), last)
        for gap in gaps({*days, end + timedelta(days=1)}):
            is_of_all = missing.issuperset(_each(gap.first, gap.last))
            if _touches(gap, listed) and not is_of_all:
                yield Outage(host=host, first=gap.first, last=gap.last, usual=usual)
