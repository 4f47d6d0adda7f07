"""What kind of attack the lines of a ban show, and its jail where they do not."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from f2b_enrich.attacks import OTHER, REPEAT_OFFENDER, Attack
from f2b_enrich.classify.flood import FLOOD_RULE, flood
from f2b_enrich.classify.matching import Matcher
from f2b_enrich.classify.name_order import NAME_ORDER_RULE, in_name_order

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from f2b_enrich.classify.jails import Jail
    from f2b_enrich.classify.matching import Matched
    from f2b_enrich.classify.rules import Rule

_FLOOD = "request-flood"
_ENUMERATION = "user-name-enumeration"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What one line shows: its class, by which rule, and the hole it is after.

    All are None where nothing tells. `also` is a second class that the line shows
    together with others: names in the order of the alphabet. Of a class that only
    several lines show, the rule is `request-flood-by-number` or
    `user-name-enumeration-by-order`.
    """

    attack: str | None = None
    rule: str | None = None
    cve: str | None = None
    also: str | None = None


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
        rules = self.matcher.rules
        by_rule = [
            Told(attack=rule.attack, rule=rule.name, cve=rule.cve) for rule in rules
        ]
        self._told = (*by_rule, Told(attack=_FLOOD, rule=FLOOD_RULE))
        self._attacks: dict[str, str] = {}
        for jail in jails:
            for name in (jail.name, *jail.aliases):
                self._attacks.setdefault(name.casefold(), jail.attack)

    def classify(self, lines: Iterable[str], *, jail: str) -> tuple[Attack, ...]:
        """Give all classes seen, the leading one first; there is always one.

        That is the one with most lines, then the one whose rule comes first. A line
        has the class of the first rule with a class that matches it. Of those that
        none matches, many web requests in little time are a flood. When no line
        tells, it is the jail's class, with no lines. Names in the order of the
        alphabet add a class, which never leads. The lines of a jail that watches
        fail2ban itself repeat what other jails saw, and are not read.
        """
        return self.count(self.matcher.match(lines), jail=jail)

    def count(self, matched: Iterable[Matched], *, jail: str) -> tuple[Attack, ...]:
        """Do the same with lines that its matcher has matched already."""
        own = self._attacks.get(jail.casefold(), OTHER)
        if own == REPEAT_OFFENDER:
            return (Attack(attack=own),)
        lines = tuple(matched)
        seen: dict[str, _Seen] = {}
        for line, rule in zip(lines, self._rules(lines), strict=True):
            attack = None if rule is None else self._told[rule].attack
            if rule is not None and attack is not None:
                seen.setdefault(attack, _Seen()).add(rule, line.times)
        ranked = sorted(
            seen.items(), key=lambda item: (-item[1].lines, min(item[1].rules))
        )
        attacks = [self._attack(*item) for item in ranked] or [Attack(attack=own)]
        if all(attack.attack != _ENUMERATION for attack in attacks):
            attacks += _enumeration(lines)
        leading, *others = attacks
        return (leading, *sorted(others, key=lambda attack: -attack.lines))

    def lines(self, lines: Iterable[str], *, jail: str = "") -> tuple[Told, ...]:
        """Tell each line for itself, in order, those that show nothing too.

        The lines of a jail that watches fail2ban itself are not read.
        """
        return self.tell(self.matcher.match(lines), jail=jail)

    def tell(self, matched: Iterable[Matched], *, jail: str = "") -> tuple[Told, ...]:
        """Do the same with lines that its matcher has matched already."""
        lines = tuple(matched)
        if self._attacks.get(jail.casefold(), OTHER) == REPEAT_OFFENDER:
            return (Told(),) * len(lines)
        in_order = in_name_order(lines)
        return tuple(
            _with_order(told) if place in in_order else told
            for place, told in enumerate(
                Told() if rule is None else self._told[rule]
                for rule in self._rules(lines)
            )
        )

    def _rules(self, lines: Sequence[Matched]) -> list[int | None]:
        """Give each line the place of the rule that tells it, in `_told`."""
        found = [self._telling(line) for line in lines]
        ordinary = [
            place
            for place, line in enumerate(lines)
            if found[place] is None and line.values
        ]
        for place in flood(lines, ordinary):
            found[place] = len(self._told) - 1
        return found

    def _telling(self, line: Matched) -> int | None:
        for rule in line.rules:
            if self._told[rule].attack is not None:
                return rule
        return None

    def _attack(self, attack: str, seen: _Seen) -> Attack:
        told = [self._told[rule] for rule in sorted(seen.rules)]
        return Attack(
            attack=attack,
            lines=seen.lines,
            rules=tuple(one.rule for one in told if one.rule is not None),
            cves=tuple(dict.fromkeys(one.cve for one in told if one.cve is not None)),
        )


@dataclass(slots=True)
class _Seen:
    lines: int = 0
    rules: set[int] = field(default_factory=set)

    def add(self, rule: int, times: int) -> None:
        self.lines += times
        self.rules.add(rule)


def _enumeration(lines: Sequence[Matched]) -> Iterator[Attack]:
    places = in_name_order(lines)
    if places:
        times = sum(lines[place].times for place in places)
        yield Attack(attack=_ENUMERATION, lines=times, rules=(NAME_ORDER_RULE,))


def _with_order(told: Told) -> Told:
    if told.attack is None:
        return Told(attack=_ENUMERATION, rule=NAME_ORDER_RULE)
    also = None if told.attack == _ENUMERATION else _ENUMERATION
    return replace(told, also=also)
