"""What was tried: classes of attack and user names."""

from __future__ import annotations

from dataclasses import dataclass

from f2b_enrich.report.figures_rankings import Cross, Tied


@dataclass(frozen=True, slots=True, kw_only=True)
class AttackCount:
    """A class of attack: bans that it leads, of how many addresses, and its log lines.

    `lines` are those of all bans that show it, also where another class leads, as one
    may in all of them: then it leads no bans. They stay when the lines themselves go.
    """

    attack: str
    name: str
    bans: int
    addresses: int
    percent: float
    lines: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Attacks:
    """What was tried, by class; the classes against countries and services."""

    classes: tuple[AttackCount, ...]
    by_country: Cross
    by_service: Cross


@dataclass(frozen=True, slots=True, kw_only=True)
class NameTried:
    """A user name that at least two addresses tried; others may be passwords."""

    rank: int
    name: str
    addresses: int
    bans: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """User names that were tried; `base` are the addresses that tried any.

    `left_out` names came from one address alone, and are not told.
    """

    base: int
    left_out: int
    names: tuple[NameTried, ...]
    tied: Tied | None = None
