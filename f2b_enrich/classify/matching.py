"""Which rules match a log line, told once for all that read the line."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import re2

from f2b_enrich.classify.rules import RuleError, options
from f2b_enrich.classify.values import Values

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from f2b_enrich.classify.rules import Rule

MAX_LINE = 8 * 1024
"""How many bytes of a line, UTF-8 encoded, are read."""

MOST_REPEATS = 1_000
"""A line that says that it stands for more is not believed."""

_TOGETHER = 80
"""How many rules RE2 looks for at once.

With all of them at once their states multiply: 207 rules in one set matched 900 lines
a second.
"""

_SET_MEMORY = 4 << 20
"""Room for RE2's states of such a set: kept ones are dropped when it is full."""

_REPEATED = (
    rb'^((?:[^\s"]*[^\s":] +){0,6}[^\s"]+: )'
    rb"message repeated (\d{1,9}) times: \[ (.*)\]$"
)
"""rsyslog's line, with whatever syslog puts before the program, as in rules.toml."""

_Sets: TypeAlias = "tuple[tuple[Sequence[int], re2.Set], ...]"
"""Patterns compiled together, each set with the places of its patterns' rules."""


class Matched(NamedTuple):
    """A line as it is read, how many lines it stands for, and what it shows.

    `rules` holds the places in `Matcher.rules` of those it matches, in order; `values`
    are the kinds and values that these read in it, at most one of each kind.
    A dataclass would cost each line 1 us.
    """

    text: bytes
    times: int
    rules: tuple[int, ...]
    values: tuple[tuple[str, str], ...] = ()


class Matcher:
    """All rules compiled together; what names and attacks are read with.

    Rules that need the same texts make a group. Which texts a line holds is told
    first and at once, so that a line of sshd never meets the rules of web servers.
    """

    def __init__(self, rules: Iterable[Rule]) -> None:
        """Compile the rules, which takes some milliseconds: make one and keep it.

        Raises:
            RuleError: when they are too many or too long together.
        """
        self.rules = tuple(rules)
        self._values = Values(self.rules)
        self._repeated = re2.compile(_REPEATED, options())
        groups: dict[tuple[str, ...], list[int]] = {}
        for place, rule in enumerate(self.rules):
            groups.setdefault(tuple(sorted(rule.needs)), []).append(place)
        # A group is called by its first rule's place.
        self._groups = {
            places[0]: self._compiled(
                {place: self.rules[place].pattern for place in places}
            )
            for places in groups.values()
        }
        self._needed = self._compiled(
            {
                places[0]: "|".join(map(re2.escape, needs))
                for needs, places in groups.items()
            }
        )

    def match(self, lines: Iterable[str]) -> Iterator[Matched]:
        """Tell of each line which rules match it; rsyslog's repeats are unfolded."""
        for line in lines:
            read = line[:MAX_LINE].encode("utf-8", "replace")[:MAX_LINE]
            times = 1
            if b"message repeated " in read:
                read, times = self._unfolded(read)
            rules = self._matching(read)
            values = self._values.read(read, rules)
            yield Matched(read, times, rules, values)

    def _matching(self, line: bytes) -> tuple[int, ...]:
        found: list[int] = []
        for groups, needed in self._needed:
            for group in needed.Match(line) or ():
                for places, together in self._groups[groups[group]]:
                    found += [places[index] for index in together.Match(line) or ()]
        # RE2 names the matching rules in no order.
        found.sort()
        return tuple(found)

    def _unfolded(self, line: bytes) -> tuple[bytes, int]:
        repeated = self._repeated.search(line)
        if repeated is None:
            return line, 1
        before, times, message = repeated.groups()
        return before + message, min(max(int(times), 1), MOST_REPEATS)

    def _compiled(self, patterns: Mapping[int, str]) -> _Sets:
        """Compile patterns, by their rules' places, at most `_TOGETHER` in a set."""
        places = tuple(patterns)
        parts = (
            places[start : start + _TOGETHER]
            for start in range(0, len(places), _TOGETHER)
        )
        return tuple(
            (part, self._together(part, [patterns[place] for place in part]))
            for part in parts
        )

    def _together(self, places: Sequence[int], patterns: Iterable[str]) -> re2.Set:
        together = re2.Set.SearchSet(options(_SET_MEMORY))
        try:
            for pattern in patterns:
                together.Add(pattern)
            together.Compile()
        except re2.error as exc:
            first, last = (self.rules[places[at]].name for at in (0, -1))
            limit = _SET_MEMORY >> 20
            raise RuleError(
                (f"rules {first!r} to {last!r} together need more than {limit} MiB",)
            ) from exc
        return together
