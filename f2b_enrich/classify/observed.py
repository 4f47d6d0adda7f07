"""Which values stand in log lines, counted by the lines they stand in."""

from __future__ import annotations

import ipaddress
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import re2

from f2b_enrich.classify.rules import KINDS, RuleError, options

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from f2b_enrich.classify.rules import Rule

MAX_LINE = 8 * 1024
"""How many bytes of a line, UTF-8 encoded, are read."""

LONGEST_VALUE = 256
MOST_REPEATS = 1_000
"""A line that says that it stands for more is not believed."""

_SET_MEMORY = 8 << 20
"""Room for RE2's states of all rules at once: kept ones are dropped when it is full."""

_REPEATED = (
    rb'^((?:[^\s"]*[^\s":] +){0,6}[^\s"]+: )'
    rb"message repeated (\d{1,9}) times: \[ (.*)\]$"
)
"""rsyslog's line, with whatever syslog puts before the program, as in rules.toml."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """A value of a kind, such as a user name, and how many lines show it."""

    kind: str
    value: str
    lines: int


class Observer:
    """All rules compiled: one look at a line tells which of them match it."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        """Compile the rules, which takes some milliseconds: make one and keep it.

        Raises:
            RuleError: when they are too many or too long together.
        """
        quiet = options()
        self._repeated = re2.compile(_REPEATED, quiet)
        roomy = options()
        roomy.max_mem = _SET_MEMORY
        self._matching = re2.Set.SearchSet(roomy)
        self._rules: list[tuple[re2._Regexp, tuple[tuple[str, int], ...]]] = []
        for rule in rules:
            self._matching.Add(rule.pattern)
            pattern = re2.compile(rule.pattern, quiet)
            self._rules.append((pattern, tuple(pattern.groupindex.items())))
        try:
            self._matching.Compile()
        except re2.error as exc:
            limit = _SET_MEMORY >> 20
            raise RuleError(
                (f"the {len(self._rules)} rules together need more than {limit} MiB",)
            ) from exc

    def observe(self, lines: Iterable[str]) -> tuple[Observed, ...]:
        """Count what the lines show, most lines first, then in order of appearance.

        A line gives at most one value of each kind. Control characters in a value
        stay, surrogates become question marks.
        """
        found: Counter[tuple[str, str]] = Counter()
        for line in lines:
            read = line[:MAX_LINE].encode("utf-8", "replace")[:MAX_LINE]
            times = 1
            if b"message repeated " in read:
                read, times = self._unfolded(read)
            for kind_and_value in self._shown(read):
                found[kind_and_value] += times
        return tuple(
            Observed(kind=kind, value=value, lines=count)
            for (kind, value), count in found.most_common()
        )

    def _unfolded(self, line: bytes) -> tuple[bytes, int]:
        repeated = self._repeated.search(line)
        if repeated is None:
            return line, 1
        before, times, message = repeated.groups()
        return before + message, min(max(int(times), 1), MOST_REPEATS)

    def _shown(self, line: bytes) -> Iterator[tuple[str, str]]:
        wanted = set(KINDS)
        # RE2 names the matching rules in no order.
        for index in sorted(self._matching.Match(line) or ()):
            pattern, groups = self._rules[index]
            match = pattern.search(line)
            for kind, group in groups:
                value = _value(match[group]) if match is not None else ""
                if value and kind in wanted:
                    wanted.discard(kind)
                    yield kind, value


def _value(found: bytes | None) -> str:
    """Read a group's text; an address is no name, so it gives an empty text."""
    # The line may have been cut within a character.
    text = (found or b"").decode("utf-8", "ignore")[:LONGEST_VALUE]
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return text
    return ""
