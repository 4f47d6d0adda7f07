"""What kind of attack the lines of a ban show, and its jail where they do not."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from f2b_enrich.attacks import OTHER, REPEAT_OFFENDER, Attack
from f2b_enrich.classify.matching import Matcher

if TYPE_CHECKING:
    from collections.abc import Iterable

    from f2b_enrich.classify.jails import Jail
    from f2b_enrich.classify.matching import Matched
    from f2b_enrich.classify.rules import Rule


class Classifier:
    """The rules that tell an attack, and the jails' own classes."""

    def __init__(
        self, rules: Iterable[Rule] | Matcher, jails: Iterable[Jail] = ()
    ) -> None:
        """Compile the rules, which takes some milliseconds: make one and keep it.

        A matcher that an Observer has too is compiled only once. Of two jails of one
        name the first holds.

        Raises:
            RuleError: when the rules are too many or too long together.
        """
        self.matcher = rules if isinstance(rules, Matcher) else Matcher(rules)
        self._attacks: dict[str, str] = {}
        for jail in jails:
            for name in (jail.name, *jail.aliases):
                self._attacks.setdefault(name.casefold(), jail.attack)

    def classify(self, lines: Iterable[str], *, jail: str) -> tuple[Attack, ...]:
        """Give all classes seen, the leading one first; there is always one.

        That is the one with most lines, then the one whose rule comes first. A line
        has the class of the first rule with a class that matches it. When no line
        tells, it is the jail's class, with no lines. The lines of a jail that watches
        fail2ban itself repeat what other jails saw, and are not read.
        """
        return self.count(self.matcher.match(lines), jail=jail)

    def count(self, matched: Iterable[Matched], *, jail: str) -> tuple[Attack, ...]:
        """Do the same with lines that its matcher has matched already."""
        own = self._attacks.get(jail.casefold(), OTHER)
        if own == REPEAT_OFFENDER:
            return (Attack(attack=own),)
        seen: dict[str, _Seen] = {}
        for line in matched:
            index = self._telling(line)
            if index is not None:
                attack = self.matcher.rules[index].attack or OTHER
                seen.setdefault(attack, _Seen()).add(index, line.times)
        ranked = sorted(
            seen.items(), key=lambda item: (-item[1].lines, min(item[1].rules))
        )
        return tuple(self._attack(*item) for item in ranked) or (Attack(attack=own),)

    def _telling(self, line: Matched) -> int | None:
        rules = self.matcher.rules
        return next((at for at in line.rules if rules[at].attack is not None), None)

    def _attack(self, attack: str, seen: _Seen) -> Attack:
        rules = [self.matcher.rules[index] for index in sorted(seen.rules)]
        cves = dict.fromkeys(rule.cve for rule in rules if rule.cve is not None)
        return Attack(
            attack=attack,
            lines=seen.lines,
            rules=tuple(rule.name for rule in rules),
            cves=tuple(cves),
        )


@dataclass(slots=True)
class _Seen:
    lines: int = 0
    rules: set[int] = field(default_factory=set)

    def add(self, rule: int, times: int) -> None:
        self.lines += times
        self.rules.add(rule)
