"""The bans that mails tell of: they come after the ban, or long after it."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

from f2b_enrich.joining.course import ROUNDING, Course
from f2b_enrich.joining.sightings import in_order

if TYPE_CHECKING:
    from collections.abc import Iterable

    from f2b_enrich.joining.sightings import Sighting

LATE_MAIL = 120
"""Seconds that a mail may be written after the end of a short ban: all actions of
fail2ban wait for each other, and whois takes a while."""

TOGETHER = 30
"""Seconds between two mails of one ban: two actions, or one that was run twice."""

LATE_BOUNCE = 5 * 24 * 3600
"""Seconds after which a mail server gives up, as a rule (RFC 5321, 4.5.4.1)."""

MOST_BEFORE = 50
"""Bans before a letter among which its own is sought."""


class Running:
    """Tells which bans were running at a time, or had been."""

    def __init__(self, bans: Iterable[Course]) -> None:
        """Take the bans, of each jail and of all in the order in which they began."""
        self._of_jails: dict[str | None, _Begun] = {}
        self._of_all = _Begun()
        for ban in sorted(bans, key=_since):
            self._of_jails.setdefault(ban.jail, _Begun()).add(ban)
            self._of_all.add(ban)

    def at(self, letter: Sighting) -> Course | None:
        """Give the ban that a letter tells of; of several jails the latest begun."""
        begun = self._of_all
        if letter.jail is not None:
            begun = self._of_jails.get(letter.jail, _Begun())
        before = begun.before(letter.at)
        latest = before[-1:]
        if letter.jail is None:
            latest = list({ban.jail: ban for ban in before}.values())
        running = [ban for ban in latest if _is_of_running(letter, ban)]
        if running:
            return max(running, key=_since)
        if letter.precision != "bounced":
            return None
        ended = [
            ban
            for ban in before
            if letter.at - ban.since <= LATE_BOUNCE
            and ban.best.precision != letter.precision
        ]
        return max(ended, key=_bounced_last, default=None)


class _Begun:
    """Bans in the order in which they began."""

    def __init__(self) -> None:
        self._times: list[int] = []
        self._bans: list[Course] = []

    def add(self, ban: Course) -> None:
        self._times.append(ban.since)
        self._bans.append(ban)

    def before(self, at: int) -> list[Course]:
        """Give the last ones that were in place by then, the last at the end."""
        end = bisect_right(self._times, at + ROUNDING)
        return self._bans[max(end - MOST_BEFORE, 0) : end]


def _since(ban: Course) -> tuple[object, ...]:
    return (ban.since, *in_order(ban.best))


def _bounced_last(ban: Course) -> tuple[object, ...]:
    """Prefer bans whose mail is not known to have come back, then the latest."""
    return ("bounced" not in ban.precisions, *_since(ban))


def _is_of_running(letter: Sighting, ban: Course) -> bool:
    """Tell whether a letter can be of that ban, the last of its jail before it.

    A ban that runs may be told of anew, after a restart; one that has ended is told of
    late, but once.
    """
    if letter.precision == ban.best.precision:
        return letter.at - ban.since <= TOGETHER
    late = 0 if letter.precision in ban.precisions else LATE_MAIL
    return letter.at <= ban.until + late


def add_letters(bans: list[Course], letters: Iterable[Sighting]) -> None:
    """Give every letter to the ban that it tells of, else begin one with it.

    The more exact first, and of those alike what names its jail.
    """
    groups = _groups(letters)
    for precision in ("mailed", "bounced"):
        alike = [group for group in groups if group[0].precision == precision]
        for has_jail in (True, False):
            some = [each for each in alike if (each[0].jail is not None) is has_jail]
            if some:
                bans.extend(_begun_by(some, Running(bans)))


def _begun_by(groups: list[list[Sighting]], running: Running) -> list[Course]:
    """Give to bans what tells of them; make bans of the others, those near together."""
    latest: dict[str | None, Course] = {}
    begun: list[Course] = []
    for best, *copies in groups:
        ban = running.at(best)
        alike = latest.get(best.jail)
        if ban is None and alike is not None and _is_of_running(best, alike):
            ban = alike
        if ban is None:
            ban = latest[best.jail] = Course(best)
            begun.append(ban)
        else:
            ban.add(best)
        for copy in copies:
            ban.add(copy)
    return begun


def _groups(letters: Iterable[Sighting]) -> list[list[Sighting]]:
    """Put a mail and its returned copy together, which comes with the mail's own id.

    Only what came back later: anybody can write any id into a mail.
    """
    groups: list[list[Sighting]] = []
    known: dict[tuple[str, str | None], list[Sighting]] = {}
    for letter in sorted(letters, key=_exact_first):
        name = letter.message_id
        if name is not None:
            group = known.get((name, letter.jail))
            if group is not None and _is_copy(letter, group[0]):
                group.append(letter)
                continue
            group = known[name, letter.jail] = [letter]
        else:
            group = [letter]
        groups.append(group)
    return sorted(groups, key=lambda group: in_order(group[0]))


def _exact_first(letter: Sighting) -> tuple[object, ...]:
    return (letter.precision != "mailed", *in_order(letter))


def _is_copy(letter: Sighting, first: Sighting) -> bool:
    if letter.precision == "mailed":
        return letter.at == first.at
    return 0 <= letter.at - first.at <= 2 * LATE_BOUNCE
