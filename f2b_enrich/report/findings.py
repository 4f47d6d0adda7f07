"""What is worth a sentence at the head of a report, each with its numbers."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING

from f2b_enrich.attacks import CLASSES
from f2b_enrich.report import tables
from f2b_enrich.report.figures import Finding
from f2b_enrich.report.text_words import percent

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from f2b_enrich.report.figures_rankings import Scope
    from f2b_enrich.report.figures_times import Times
    from f2b_enrich.report.part import Part

MOST_FINDINGS = 5

FEWEST_ADDRESSES = 2
"""Addresses of a subnet, or of a class of attack, from which on it is a finding."""

FEWEST_BEFORE = 10
"""Bans of a jail in the period before, without which it is not said to be quiet."""

LARGE_CHANGE = 3.0
"""How many times as far as chance goes, roughly, a change must be."""


LEAST_PART = 10
"""The least part of what was before that a change is worth a word: a tenth."""

LEAST_COVERED = 0.9
"""The share of a period's days with records from which on it can be compared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """A period, and the one before where it is all there.

    Where only `some_attackers` count, by where or who they are or what they tried, a
    jail of which no ban counts may have banned others.
    """

    now: Part
    before: Part | None
    before_label: str
    everything: Scope
    times: Times
    before_times: Times | None = None
    some_attackers: bool = False

    @property
    def are_alike(self) -> bool:
        """Tell whether both have records of enough days to be compared."""
        if self.before is None or self.before_times is None:
            return False
        return all(map(_is_covered, (self.times, self.before_times)))


def _is_covered(times: Times) -> bool:
    covered = sum(1 for day in times.days if day.state == "data")
    return covered >= LEAST_COVERED * len(times.days)


def findings(compared: Compared) -> tuple[Finding, ...]:
    """Choose the findings, the most pressing first."""
    found = [
        *_gap(compared.times),
        *_change(compared),
        *_network(compared),
        *_new_classes(compared),
        *_quiet_jails(compared),
        *_several_hosts(compared.now),
    ]
    return tuple(found[:MOST_FINDINGS])


def _gap(times: Times) -> Iterator[Finding]:
    outages = [outage for outage in times.outages if outage.days]
    if not outages:
        return
    worst = max(outages, key=lambda outage: outage.days * outage.usual)
    where = "any host" if worst.host is None else worst.host
    yield Finding(
        kind="gap",
        text=f"No ban of {where} is recorded from {worst.first} to {worst.last} "
        f"({_counted(worst.days, 'day')}); an ordinary day has {worst.usual:.0f}.",
        numbers={
            "days": worst.days,
            "usual": round(worst.usual, 1),
            "first": str(worst.first),
            "last": str(worst.last),
            "host": worst.host or "",
        },
    )


def _change(compared: Compared) -> Iterator[Finding]:
    """Find the largest change of addresses: of a country, service or class."""
    if compared.before is None or not compared.are_alike:
        return
    changes = [
        (_strength(new, old), name, new, old)
        for name, new, old in _sides(compared.now, compared.before)
    ]
    strength, name, new, old = max(changes, default=(0.0, "", 0, 0))
    if strength < LARGE_CHANGE or abs(new - old) * LEAST_PART < old:
        return
    verb = "More" if new > old else "Fewer"
    yield Finding(
        kind="change",
        text=f"{verb} addresses {name}: {new:,}, after {old:,} in "
        f"{compared.before_label}{_percent(new, old)}.",
        numbers={"addresses": new, "before": old, "of": name},
    )


def _strength(new: int, old: int) -> float:
    return abs(new - old) / sqrt(new + old) if new + old else 0.0


def _percent(new: int, old: int) -> str:
    return f" ({100 * (new - old) / old:+.0f}%)" if old else ""


def _sides(now: Part, before: Part) -> Iterator[tuple[str, int, int]]:
    countries = tables.country_names(before) | tables.country_names(now)
    here, there = tables.country_counts(now), tables.country_counts(before)
    for code in sorted(code for code in countries if code):
        yield f"from {countries[code]}", here.get(code, 0), there.get(code, 0)
    for service in _keys(now.services.addresses, before.services.addresses):
        new, old = now.services.addresses[service], before.services.addresses[service]
        if service is not None:
            yield f"on {service}", new, old
    for attack in _keys(now.attacks.addresses, before.attacks.addresses):
        new, old = now.attacks.addresses[attack], before.attacks.addresses[attack]
        # What waits to be classed says nothing of those who attack.
        if attack:
            yield f"that show {_worded(attack)}", new, old


def _keys(*counts: Mapping[str | None, int]) -> list[str | None]:
    return sorted({key for each in counts for key in each}, key=str)


def _worded(attack: str) -> str:
    return CLASSES.get(attack, attack)


def _network(compared: Compared) -> Iterator[Finding]:
    """Name the subnet that sent the most addresses."""
    shares = compared.everything.subnets.shares
    if not shares or shares[0].addresses < FEWEST_ADDRESSES:
        return
    worst = [share for share in shares if share.addresses == shares[0].addresses]
    share = min(worst, key=lambda one: (-one.bans, one.key))
    more = len(worst) - 1
    others = f"; {more:,} more with as many addresses" if more else ""
    yield Finding(
        kind="network",
        text=f"The worst network is {share.key}: {share.addresses:,} addresses "
        f"({percent(share.percent)} of {compared.everything.measure.addresses:,}), "
        f"{share.bans:,} bans{others}.",
        numbers={
            "subnet": share.key,
            "addresses": share.addresses,
            "bans": share.bans,
            "tied": more,
        },
    )


def _new_classes(compared: Compared) -> Iterator[Finding]:
    if compared.before is None or not compared.are_alike:
        return
    if not compared.before.services.bans[None]:
        return
    now, before = compared.now.attacks, compared.before.attacks
    new = [
        (now.addresses[attack], attack)
        for attack in now.bans
        if attack
        and not before.bans[attack]
        and now.addresses[attack] >= FEWEST_ADDRESSES
    ]
    for addresses, attack in sorted(new, key=lambda one: (-one[0], one[1]))[:1]:
        bans = now.bans[attack]
        yield Finding(
            kind="new-class",
            text=f"New: {_worded(attack)}, {_counted(bans, 'ban')} of "
            f"{addresses:,} addresses, none in {compared.before_label}.",
            numbers={"attack": attack, "bans": bans, "addresses": addresses},
        )


def _quiet_jails(compared: Compared) -> Iterator[Finding]:
    if compared.before is None or not compared.are_alike or compared.some_attackers:
        return
    quiet = [
        (before, jail)
        for jail, before in compared.before.jails.bans.items()
        if before >= FEWEST_BEFORE and not compared.now.jails.bans[jail]
    ]
    for before, jail in sorted(quiet, key=lambda one: (-one[0], one[1]))[:1]:
        yield Finding(
            kind="quiet-jail",
            text=f"Jail {jail} banned nobody, after {before:,} bans in "
            f"{compared.before_label}. Does it still read its log?",
            numbers={"jail": jail, "before": before},
        )


def _several_hosts(now: Part) -> Iterator[Finding]:
    """Name the address that the most hosts banned; of several that with most bans."""
    widest = now.widest
    if widest is None:
        return
    numbers: dict[str, int | float | str] = {
        "ip": widest.ip,
        "hosts": widest.hosts,
        "bans": widest.bans,
    }
    text = (
        f"{widest.ip} was banned on {widest.hosts:,} hosts, {widest.bans:,} times in "
        "all"
    )
    if widest.others:
        numbers["tied"] = widest.others
        text += f"; {widest.others:,} more on as many"
    yield Finding(kind="several-hosts", text=f"{text}.", numbers=numbers)


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
