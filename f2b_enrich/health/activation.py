"""What to tell a running fail2ban so that it takes our action, or gives it up.

A reload does not add an action to a running jail, and a restart lifts every ban for a
moment; `addaction` does neither (docs/adr/0010).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from f2b_enrich.health.configured import Action

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from f2b_enrich.health.configured import Configured, Jail
    from f2b_enrich.health.running import Running

_LAST = "actionban"


class Standing(StrEnum):
    """How a jail stands to our action."""

    ADD = "add"  # it runs without it, and is configured with it
    ACTIVE = "active"  # it runs with it
    OUTDATED = "outdated"  # it runs with it, as it was configured before
    LATER = "later"  # it does not run, and will start with it
    LACKS = "lacks"  # its configuration is without it
    LOSES = "loses"  # our jail.d file changes what else it does at a ban
    GONE = "gone"  # it runs, and is in the configuration no more


@dataclass(frozen=True, slots=True, kw_only=True)
class JailPlan:
    """What is to be done about one jail; `missing` are our actions to be added.

    `lost` names the administrator's actions that our jail.d file takes away or
    changes, `gained` those that it adds.
    """

    jail: str
    standing: Standing
    missing: tuple[Action, ...] = ()
    others: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    gained: tuple[str, ...] = ()


def plan(
    now: Configured,
    *,
    without: Configured,
    running: Mapping[str, tuple[Running, ...]] | None,
) -> tuple[JailPlan, ...]:
    """Compare the configuration, the same without our jail.d file, and what runs.

    `running` has the actions of each running jail; None when no server runs.
    """
    live = running or {}
    plain = {jail.name: jail for jail in without.jails}
    named = {jail.name: jail for jail in now.jails}
    plans = [
        _plan_of(jail, plain.get(jail.name), live.get(jail.name)) for jail in now.jails
    ]
    plans += [_vanished(plain[name]) for name in plain if name not in named]
    plans += [
        JailPlan(jail=name, standing=Standing.GONE, others=_others(actions))
        for name, actions in live.items()
        if name not in named and name not in plain
    ]
    return tuple(sorted(plans, key=lambda one: one.jail))


def _plan_of(
    jail: Jail, plain: Jail | None, live: tuple[Running, ...] | None
) -> JailPlan:
    found = {one.name: one for one in live or ()}
    missing = tuple(each for each in jail.our_actions if each.name not in found)
    before = plain or jail
    lost = _only_in(before, jail)
    gained = tuple(name for name in _only_in(jail, before) if name not in lost)
    return JailPlan(
        jail=jail.name,
        standing=(
            Standing.LOSES if lost or gained else _standing(jail, missing, found, live)
        ),
        missing=missing,
        others=_others(jail.actions),
        lost=lost,
        gained=gained,
    )


def _standing(
    jail: Jail,
    missing: tuple[Action, ...],
    found: Mapping[str, Running],
    live: tuple[Running, ...] | None,
) -> Standing:
    if not jail.our_actions:
        return Standing.LACKS
    if live is None:
        return Standing.LATER
    if missing:
        return Standing.ADD
    is_old = any(_differs(found[each.name], each) for each in jail.our_actions)
    return Standing.OUTDATED if is_old else Standing.ACTIVE


def _differs(running: Running, action: Action) -> bool:
    # A module tells no options.
    return (
        running.at_a_ban is not None
        and action.module is None
        and running.at_a_ban != action.at_a_ban.strip()
    )


def _only_in(one: Jail, other: Jail) -> tuple[str, ...]:
    """Name the administrator's actions that only one of two states of a jail has."""
    # An action is more than its name: `iptables[port=1:65535]` that becomes
    # `iptables[port=ssh]` is lost.
    kept = set(other.actions)
    return tuple(
        action.name
        for action in one.actions
        if action not in kept and not action.is_ours
    )


def _vanished(plain: Jail) -> JailPlan:
    """Tell of a jail that our file would break."""
    return JailPlan(
        jail=plain.name,
        standing=Standing.LOSES,
        lost=tuple(action.name for action in plain.actions),
    )


def _others(actions: Iterable[Action | Running]) -> tuple[str, ...]:
    return tuple(each.name for each in actions if not each.is_ours)


def activation(jail: str, action: Action) -> Iterator[tuple[str, ...]]:
    """Give what adds an action to a running jail, a command to the server each.

    An action without `actionban` does nothing, so that comes last: a ban in between
    meets the whole action or none.
    """
    if action.module is not None:
        options = dict(action.settings).get("options", "{}")
        yield ("set", jail, "addaction", action.name, action.module, options)
        return
    yield ("set", jail, "addaction", action.name)
    for key, value in sorted(action.settings, key=lambda pair: pair[0] == _LAST):
        yield ("set", jail, "action", action.name, key, _sent(key, value))


def _sent(key: str, value: str) -> str:
    # What fail2ban's own client sends as a truth value comes from a command line as
    # text, and any text but none is true.
    return "" if key == "norestored" and value in {"False", "0"} else value


def removal(jail: str, name: str) -> tuple[str, ...]:
    """Give what takes an action from a running jail without lifting a ban."""
    return ("set", jail, "delaction", name)
