"""The bans of one jail, from failure times and log lines, in the order of time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from f2b_enrich.joining.sightings import NEVER, Joined, in_order, latest_end

if TYPE_CHECKING:
    from collections.abc import Iterable

    from f2b_enrich.joining.sightings import Sighting

ROUNDING = 2
"""Seconds that a ban may be logged before its failure: both times were rounded."""

SAME_LINE = 1
"""Seconds between two copies of one line, of fail2ban.log and of the journal."""

LATE_UNBAN = 60
"""Seconds until our action reports an unban, which waits for those of other jails."""

ASSUMED = 24 * 3600
"""Seconds that a ban lasts of which no end is known. Fail2Ban's own default is 600."""

_RANKS = {"unban": 1, "ban": 2, "again": 3, "prolong": 4}


class Course:
    """One ban while its records are being collected; `since` is when it was in place.

    `line_at` is when the log says that it began, `again_at` that it was put in place.
    """

    __slots__ = (
        "again_at",
        "ended_at",
        "ends_at",
        "is_exact",
        "jail",
        "line_at",
        "precisions",
        "sightings",
    )

    def __init__(self, first: Sighting) -> None:
        """Begin with the record that tells best when it began."""
        self.jail = first.jail
        self.sightings = [first]
        self.precisions = {first.precision}
        self.is_exact = first.precision == "failure"
        self.line_at: int | None = None
        self.again_at: int | None = None
        self.ended_at: int | None = None
        self.ends_at = first.ends_at

    def add(self, sighting: Sighting) -> None:
        """Take one more record of it."""
        self.sightings.append(sighting)
        self.precisions.add(sighting.precision)
        self.ends_at = latest_end((self.ends_at, sighting.ends_at))

    @property
    def best(self) -> Sighting:
        """Give the record that it began with."""
        return self.sightings[0]

    @property
    def since(self) -> int:
        """Tell when it was in place, as far as it is known."""
        return self.best.at if self.line_at is None else self.line_at

    @property
    def until(self) -> int:
        """Tell when it ended, or will have."""
        if self.ended_at is not None:
            return self.ended_at
        if self.ends_at is not None:
            return self.ends_at
        begun = self.since if self.again_at is None else self.again_at
        return min(begun + ASSUMED, NEVER)

    def is_told_of(self, at: int) -> bool:
        """Tell whether a line of that time is only a copy of the one that began it."""
        line_at = None if self.ended_at is not None else self.line_at
        return line_at is not None and at - line_at <= SAME_LINE

    def may_run(self, at: int) -> bool:
        """Tell whether it was planned to run at that time, or longer."""
        return self.ends_at is None or at <= self.ends_at + ROUNDING

    def runs_on(self, at: int) -> bool:
        """Tell whether it may run at that time, for no end of it was seen."""
        return self.ended_at is None and self.may_run(at)

    def awaits(self, at: int) -> bool:
        """Tell whether this is a ban of which the log may tell at that time only.

        However long ago the failure was: fail2ban may read old logs anew. But it does
        not ban what would have ended already. Of a ban lifted in the second in which it
        began the end is met first.
        """
        return (
            self.is_exact
            and self.line_at is None
            and self.again_at is None
            and (self.ended_at is None or self.ended_at >= at)
            and self.may_run(at)
        )

    def joined(self) -> Joined:
        """Give what all its records together tell."""
        best, *others = self.sightings
        return Joined(
            jail=self.jail,
            at=best.at,
            precision=best.precision,
            ends_at=self.ends_at,
            unbanned_at=self.ended_at,
            sightings=(best, *sorted(others, key=in_order)),
        )


class _Sweep:
    """Goes through the records of one jail."""

    def __init__(self) -> None:
        self.bans: list[Course] = []
        self.loose: list[Sighting] = []
        self._now: Course | None = None
        self._awaited: list[Course] = []
        self._failed_at: dict[int, Course] = {}

    def take(self, sighting: Sighting) -> None:
        if sighting.precision == "failure":
            self._failed(sighting)
        elif sighting.kind == "ban":
            self._logged(sighting)
        elif sighting.kind == "again":
            self._again(sighting)
        elif sighting.kind == "unban":
            self._ended(sighting)
        else:
            self._prolonged(sighting)

    def _begin(self, sighting: Sighting) -> Course:
        ban = Course(sighting)
        self.bans.append(ban)
        return ban

    def _failed(self, sighting: Sighting) -> None:
        at, now = sighting.at, self._now
        ban = self._failed_at.get(at)
        if ban is not None:
            ban.add(sighting)
            return
        ban = self._failed_at[at] = self._begin(sighting)
        self._awaited.append(ban)
        # What failed while a ban ran was banned after that.
        if now is None or now.line_at is None or not now.runs_on(at):
            self._now = ban

    def _logged(self, sighting: Sighting) -> None:
        now = self._now
        if now is not None and now.is_told_of(sighting.at):
            now.add(sighting)
            return
        told = self._told_by(sighting.at)
        if told is None:
            told = self._begin(sighting)
            self._end_at_once(told)
        else:
            told.add(sighting)
        told.line_at = sighting.at
        self._now = told

    def _end_at_once(self, ban: Course) -> None:
        """Take an unban of the same second that was of no ban before: it was lifted."""
        if not self.loose or (self._now is not None and self._now.runs_on(ban.best.at)):
            return
        last = self.loose[-1]
        if (last.kind, last.at, last.failed_at) == ("unban", ban.best.at, None):
            ban.add(self.loose.pop())
            ban.ended_at = last.at

    def _told_by(self, at: int) -> Course | None:
        """Find the latest failure whose ban the log has not told of.

        What cannot be told of any more never will be, and is not looked at again.
        """
        while self._awaited:
            ban = self._awaited.pop()
            if ban.awaits(at):
                return ban
        return None

    def _again(self, sighting: Sighting) -> None:
        at, ban = sighting.at, self._now
        if ban is None or not ban.may_run(at):
            ban = self._told_by(at)
        if ban is None:
            ban = self._begin(sighting)
        else:
            ban.add(sighting)
        # Of one failure that fail2ban bans again no unban before that is the end.
        ban.ended_at, ban.again_at = None, at
        self._now = ban

    def _prolonged(self, sighting: Sighting) -> None:
        ban = self._named(sighting)
        if ban is None:
            self.loose.append(sighting)
        else:
            ban.add(sighting)

    def _ended(self, sighting: Sighting) -> None:
        ban = self._named(sighting)
        at = sighting.at
        if ban is None:
            self.loose.append(sighting)
        elif ban.ended_at is None:
            ban.add(sighting)
            ban.ended_at = at
        elif at - ban.ended_at <= LATE_UNBAN:
            ban.add(sighting)
        else:
            self.loose.append(sighting)

    def _named(self, sighting: Sighting) -> Course | None:
        if sighting.failed_at is None:
            return self._now
        return self._failed_at.get(sighting.failed_at)


def _moment(sighting: Sighting) -> tuple[object, ...]:
    """Order records so that a ban comes before its lines, and before it is prolonged.

    Another thread of fail2ban logs that it is prolonged, sometimes before the ban.
    """
    at, rank = sighting.at, 0
    if sighting.precision == "failure":
        at -= ROUNDING
    else:
        rank = _RANKS[sighting.kind]
    if sighting.kind == "prolong":
        at += ROUNDING
    return (at, rank, *in_order(sighting))


def courses(sightings: Iterable[Sighting]) -> tuple[list[Course], list[Sighting]]:
    """Tell the bans of a jail by its failure times and log lines, and what is loose."""
    sweep = _Sweep()
    for sighting in sorted(sightings, key=_moment):
        sweep.take(sighting)
    return sweep.bans, sweep.loose
