"""Which values stand in log lines, counted by the lines they stand in."""

from __future__ import annotations

import ipaddress
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import re2

from f2b_enrich.classify.matching import Matcher
from f2b_enrich.classify.rules import KINDS, options

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from f2b_enrich.classify.matching import Matched
    from f2b_enrich.classify.rules import Rule

LONGEST_VALUE = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """A value of a kind, such as a user name, and how many lines show it."""

    kind: str
    value: str
    lines: int


class Observer:
    """The rules that give values, ready to read them."""

    def __init__(self, rules: Iterable[Rule] | Matcher) -> None:
        """Compile the rules, which takes some milliseconds: make one and keep it.

        A matcher that a Classifier has too is compiled only once.

        Raises:
            RuleError: when they are too many or too long together.
        """
        self.matcher = rules if isinstance(rules, Matcher) else Matcher(rules)
        quiet = options()
        self._patterns: dict[int, tuple[re2._Regexp, tuple[tuple[str, int], ...]]] = {}
        for index, rule in enumerate(self.matcher.rules):
            pattern = re2.compile(rule.pattern, quiet)
            if pattern.groupindex:
                self._patterns[index] = (pattern, tuple(pattern.groupindex.items()))

    def observe(self, lines: Iterable[str]) -> tuple[Observed, ...]:
        """Count what the lines show, most lines first, then in order of appearance.

        A line gives at most one value of each kind. Control characters in a value
        stay, surrogates become question marks.
        """
        return self.count(self.matcher.match(lines))

    def count(self, matched: Iterable[Matched]) -> tuple[Observed, ...]:
        """Do the same with lines that its matcher has matched already."""
        found: Counter[tuple[str, str]] = Counter()
        for line in matched:
            for kind_and_value in self._shown(line):
                found[kind_and_value] += line.times
        return tuple(
            Observed(kind=kind, value=value, lines=count)
            for (kind, value), count in found.most_common()
        )

    def _shown(self, line: Matched) -> Iterator[tuple[str, str]]:
        wanted = set(KINDS)
        for index in line.rules:
            if index not in self._patterns:
                continue
            pattern, groups = self._patterns[index]
            match = pattern.search(line.text)
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
