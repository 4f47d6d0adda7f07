"""What the administrator wants to be told of a ban: the rules, applied."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from datetime import time

    from f2b_enrich.model import Service

PolicyName: TypeAlias = Literal["all", "first", "digest", "none"]


class Choice(StrEnum):
    """What becomes of the alert about a ban, as far as the policy goes."""

    MAIL = "mail"
    HOLD = "hold"
    SKIP = "skip"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A choice, and the reason in words that a list of mails can show."""

    choice: Choice
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What the rules ask of a ban; None is not known.

    `is_first` tells whether the address (of IPv6, its /64) was not banned before within
    the days that `first` looks back; `at` is the local time of day.
    """

    jail: str
    service: Service
    ip: str
    country_code: str | None
    ban_count: int
    is_first: bool
    at: time


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Bans that are treated in a way of their own; an empty condition is always met."""

    policy: PolicyName
    min_ban_count: int = 1
    jails: frozenset[str] = frozenset()
    services: frozenset[str] = frozenset()
    countries: frozenset[str] = frozenset()
    networks: tuple[IPv4Network | IPv6Network, ...] = ()

    def applies(self, ban: Subject) -> bool:
        """Tell whether all of its conditions are met; what is not known meets none."""
        return (
            (not self.jails or ban.jail in self.jails)
            and (not self.services or ban.service in self.services)
            and (not self.countries or ban.country_code in self.countries)
            and (not self.networks or self._is_inside(ban.ip))
        )

    def _is_inside(self, ip: str) -> bool:
        try:
            address = ip_address(ip)
        except ValueError:
            return False  # a name, or what fail2ban took for an address
        return any(address in network for network in self.networks)


@dataclass(frozen=True, slots=True, kw_only=True)
class QuietHours:
    """A span of the local day, over midnight if it begins after its end."""

    begin: time
    end: time

    def __contains__(self, at: time) -> bool:
        if self.begin <= self.end:
            return self.begin <= at < self.end
        return at >= self.begin or at < self.end


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The rules in their order, then what holds for every other ban."""

    rules: tuple[Rule, ...] = ()
    otherwise: Rule = Rule(policy="all")
    quiet: QuietHours | None = None

    def decide(self, ban: Subject) -> Decision:
        """Let the first rule decide that applies; quiet hours only ever hold."""
        rule = next((rule for rule in self.rules if rule.applies(ban)), self.otherwise)
        if rule.policy == "none":
            return Decision(choice=Choice.SKIP, reason="policy none")
        if rule.policy == "digest":
            return Decision(choice=Choice.HOLD, reason="policy digest")
        if ban.ban_count < rule.min_ban_count:
            few = f"ban {ban.ban_count} of {rule.min_ban_count} that it takes"
            return Decision(choice=Choice.HOLD, reason=few)
        if rule.policy == "first" and not ban.is_first:
            return Decision(choice=Choice.HOLD, reason="not the first of the address")
        if self.quiet is not None and ban.at in self.quiet:
            return Decision(choice=Choice.HOLD, reason="quiet hours")
        return Decision(choice=Choice.MAIL, reason=f"policy {rule.policy}")
