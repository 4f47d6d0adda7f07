"""What a ban's lines show, by the rules and jails of one reading of the files."""

from __future__ import annotations

import hashlib
import threading
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Self

from f2b_enrich.attacks import OTHER, REPEAT_OFFENDER
from f2b_enrich.classify.classifier import Classifier
from f2b_enrich.classify.jails import Jail, by_name, shipped_jails
from f2b_enrich.classify.matching import Matcher
from f2b_enrich.classify.observed import Observer
from f2b_enrich.classify.rules import RuleError, shipped
from f2b_enrich.classify.rules_folder import load_folder
from f2b_enrich.errors import ConfigError
from f2b_enrich.model import Observed
from f2b_enrich.store import classes, jails
from f2b_enrich.store.jails import KnownJail

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable
    from datetime import datetime

    from f2b_enrich.attacks import Attack
    from f2b_enrich.classify.rules import Rule
    from f2b_enrich.config import Settings
    from f2b_enrich.store.classes import Unread

_WAY = 1
"""Raised when the same rules and jails come to other results than before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What the lines of one ban show; of the attacks the leading one comes first."""

    attacks: tuple[Attack, ...]
    observed: tuple[Observed, ...]


class Outcome(Enum):
    """What came of a ban that was read."""

    CLASSED = "classed"
    CHANGED = "classed, with another leading class than before"
    KEPT = "kept as it was, for its lines are no longer there"
    LEFT = "left for another time, for it has got its lines since"


class Analysis:
    """Rules and jails, compiled; `digest` names what they are together."""

    def __init__(
        self, rules: Iterable[Rule], own: Iterable[Jail], shipped: Iterable[Jail]
    ) -> None:
        """Compile them, which takes some tens of milliseconds."""
        own, shipped = tuple(own), tuple(shipped)
        self.matcher = Matcher(rules)
        self.classifier = Classifier(self.matcher, (*own, *shipped))
        self.observer = Observer(self.matcher)
        self._own, self._shipped = by_name(own), by_name(shipped)
        # RE2's states are made as lines are read.
        self._reading = threading.Lock()
        parts = (_WAY, self.matcher.rules, own, shipped)
        self.digest = hashlib.sha256(repr(parts).encode()).hexdigest()[:16]

    @classmethod
    def configured(cls, settings: Settings, *, first: Iterable[Rule] = ()) -> Self:
        """Read the shipped rules and jails, and the administrator's own.

        Rules that he tries come `first`, in place of his others of the same names.

        Raises:
            ConfigError: with all problems of his rules.
        """
        stock = shipped_jails()
        aliases = {jail.name: jail.aliases for jail in stock}
        own = (
            Jail(
                name=name,
                service=jail.service,
                attack=jail.attack,
                aliases=aliases.get(name.casefold(), ()),
            )
            for name, jail in settings.jails.own.items()
        )
        try:
            tried = {rule.name: rule for rule in first}
            kept = load_folder(settings.classify.rules)
            others = (rule for rule in kept if rule.name not in tried)
            return cls((*tried.values(), *others, *shipped()), own, stock)
        except RuleError as exc:
            raise ConfigError(exc.problems) from exc

    def show(
        self,
        lines: Iterable[str],
        *,
        jail: str,
        captures: Iterable[tuple[str, str]] = (),
    ) -> Shown:
        """Read lines; what only fail2ban's filter named, no line shows, has none."""
        seen = tuple(self.matcher.match(lines))
        found = self.observer.count(seen)
        there = {(one.kind, one.value) for one in found}
        named = dict.fromkeys(pair for pair in captures if pair not in there)
        return Shown(
            attacks=self.classifier.count(seen, jail=jail),
            observed=(
                *found,
                *(Observed(kind=kind, value=value, lines=0) for kind, value in named),
            ),
        )

    def show_all(self, bans: Iterable[Unread]) -> tuple[Shown, ...]:
        """Read the lines of several bans; several threads take turns."""
        with self._reading:
            return tuple(
                self.show(ban.lines, jail=ban.jail, captures=ban.captures)
                for ban in bans
            )

    def save(
        self,
        connection: sqlite3.Connection,
        ban: Unread,
        shown: Shown,
        *,
        now: datetime,
    ) -> Outcome:
        """Write what a ban shows, and tell what came of it."""
        if classes.lines_received(connection, ban.id) != ban.lines_received:
            return Outcome.LEFT
        known = self.known_jail(ban.jail)
        jails.note(connection, known)
        number = classes.rule_set(connection, self.digest, now=now)
        before = classes.attacks(connection, ban.id)
        if before and not ban.has_lines and known.attack != REPEAT_OFFENDER:
            classes.keep(connection, ban.id, rule_set=number)
            return Outcome.KEPT
        classes.save(
            connection,
            ban.id,
            attacks=shown.attacks,
            observed=shown.observed,
            rule_set=number,
        )
        if before and before[0].attack != shown.attacks[0].attack:
            return Outcome.CHANGED
        return Outcome.CLASSED

    def announce(self, connection: sqlite3.Connection, *, now: datetime) -> int:
        """Write what is known of jails, and give the number of these rules.

        From now on they are those of today.
        """
        jails.refresh(connection, self.jail_names(), self.known_jail)
        return classes.use(connection, self.digest, now=now)

    def known_jail(self, name: str) -> KnownJail:
        """Tell what a jail guards, whatever the case its name is written in."""
        key = name.casefold()
        jail = self._own.get(key) or self._shipped.get(key)
        if jail is None:
            return KnownJail(jail=name, service="other", attack=OTHER, origin="unknown")
        return KnownJail(
            jail=name,
            service=jail.service,
            attack=jail.attack,
            origin="configured" if key in self._own else "shipped",
        )

    def jail_names(self) -> tuple[str, ...]:
        """Name the jails that somebody named, but for the older names of some."""
        named = (*self._own.values(), *self._shipped.values())
        return tuple(dict.fromkeys(jail.name for jail in named))
