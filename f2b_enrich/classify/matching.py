"""Which rules match a log line, told once for all that read the line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import re2

from f2b_enrich.classify.rules import RuleError, options

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from f2b_enrich.classify.rules import Rule

MAX_LINE = 8 * 1024
"""How many bytes of a line, UTF-8 encoded, are read."""

MOST_REPEATS = 1_000
"""A line that says that it stands for more is not believed."""

_TOGETHER = 48
"""How many rules RE2 looks for at once.

With all of them at once their states multiply: 207 rules in one set matched 900 lines
a second; sets of 48 match 70,000 and more, once their states are made.
"""

_SET_MEMORY = 4 << 20
"""Room for RE2's states of such a set: kept ones are dropped when it is full."""

_REPEATED = (
    rb'^((?:[^\s"]*[^\s":] +){0,6}[^\s"]+: )'
    rb"message repeated (\d{1,9}) times: \[ (.*)\]$"
)
"""rsyslog's line, with whatever syslog puts before the program, as in rules.toml."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Matched:
    """A line as it is read, how many lines it stands for, and the rules it matches.

    `rules` holds places in `Matcher.rules`, in order.
    """

    text: bytes
    times: int
    rules: tuple[int, ...]


class Matcher:
    """All rules compiled together; what names and attacks are read with."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        """Compile the rules, which takes some milliseconds: make one and keep it.

        Raises:
            RuleError: when they are too many or too long together.
        """
        self.rules = tuple(rules)
        self._repeated = re2.compile(_REPEATED, options())
        self._sets = tuple(
            (start, _compiled(self.rules[start : start + _TOGETHER]))
            for start in range(0, len(self.rules), _TOGETHER)
        )

    def match(self, lines: Iterable[str]) -> Iterator[Matched]:
        """Tell of each line which rules match it; rsyslog's repeats are unfolded."""
        for line in lines:
            read = line[:MAX_LINE].encode("utf-8", "replace")[:MAX_LINE]
            times = 1
            if b"message repeated " in read:
                read, times = self._unfolded(read)
            yield Matched(text=read, times=times, rules=tuple(self._matching(read)))

    def _matching(self, line: bytes) -> Iterator[int]:
        for start, together in self._sets:
            # RE2 names the matching rules in no order.
            for index in sorted(together.Match(line) or ()):
                yield start + index

    def _unfolded(self, line: bytes) -> tuple[bytes, int]:
        repeated = self._repeated.search(line)
        if repeated is None:
            return line, 1
        before, times, message = repeated.groups()
        return before + message, min(max(int(times), 1), MOST_REPEATS)


def _compiled(rules: Sequence[Rule]) -> re2.Set:
    roomy = options()
    roomy.max_mem = _SET_MEMORY
    together = re2.Set.SearchSet(roomy)
    for rule in rules:
        together.Add(rule.pattern)
    try:
        together.Compile()
    except re2.error as exc:
        first, last, limit = rules[0].name, rules[-1].name, _SET_MEMORY >> 20
        raise RuleError(
            (f"rules {first!r} to {last!r} together need more than {limit} MiB",)
        ) from exc
    return together
