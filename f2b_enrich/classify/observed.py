"""Which values stand in log lines, counted by the lines they stand in."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from f2b_enrich.classify.matching import Matcher
from f2b_enrich.model import Observed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from f2b_enrich.classify.matching import Matched
    from f2b_enrich.classify.rules import Rule

MOST_VALUES = 200
"""How many values of one kind a ban gives: who varies them gains no room by it."""


class Observer:
    """The rules that give values, ready to read them."""

    def __init__(self, rules: Iterable[Rule] | Matcher) -> None:
        """Compile the rules, which takes some milliseconds: make one and keep it.

        A matcher that a Classifier has too is compiled only once.

        Raises:
            RuleError: when they are too many or too long together.
        """
        self.matcher = rules if isinstance(rules, Matcher) else Matcher(rules)

    def observe(self, lines: Iterable[str]) -> tuple[Observed, ...]:
        """Count what the lines show, most lines first, then in order of appearance.

        A line gives at most one value of each kind, all lines `MOST_VALUES` of it.
        Control characters in a value stay, surrogates become question marks.
        """
        return self.count(self.matcher.match(lines))

    def of(self, line: Matched) -> tuple[tuple[str, str], ...]:
        """Give the kinds and values of one line, at most one of each kind."""
        return line.values

    def count(self, matched: Iterable[Matched]) -> tuple[Observed, ...]:
        """Do the same with lines that its matcher has matched already."""
        found: Counter[tuple[str, str]] = Counter()
        for line in matched:
            for kind_and_value in line.values:
                found[kind_and_value] += line.times
        given: Counter[str] = Counter()
        observed = []
        for (kind, value), count in found.most_common():
            given[kind] += 1
            if given[kind] <= MOST_VALUES:
                observed.append(Observed(kind=kind, value=value, lines=count))
        return tuple(observed)
