"""What to tell a running fail2ban so that it takes our action, or gives it up.

A reload does not add an action to a running jail, and a restart lifts every ban for a
moment; `addaction` does neither (docs/adr/0010).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from f2b_enrich.health.configured import Action, is_our_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from f2b_enrich.health.configured import Configured, Jail

_LAST = "actionban"


class Standing(StrEnum):
    """How a jail stands to our action."""

    ADD = "add"  # it runs without it, and is configured with it
    ACTIVE = "active"  # it runs with it
    LATER = "later"  # it does not run, and will start with it
    LACKS = "lacks"  # its configuration is without it
    LOSES = "loses"  # our jail.d file takes an action of the administrator's from it
    GONE = "gone"  # it runs, and is in the configuration no more


@dataclass(frozen=True, slots=True, kw_only=True)
class JailPlan:
    """What is to be done about one jail; `action` is ours as it is configured there.

    `lost` names the administrator's actions that are missing or changed.
    """

    jail: str
    standing: Standing
    action: Action | None = None
    others: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()


def plan(
    now: Configured,
    *,
    without: Configured,
    running: Mapping[str, tuple[str, ...]] | None,
) -> tuple[JailPlan, ...]:
    """Compare the configuration, the same without our jail.d file, and what runs.

    `running` has the names of each running jail's actions; None when no server runs.
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


def _plan_of(jail: Jail, plain: Jail | None, live: tuple[str, ...] | None) -> JailPlan:
    action = jail.our_action
    lost = _lost(jail, plain)
    return JailPlan(
        jail=jail.name,
        standing=Standing.LOSES if lost else _standing(action, live),
        action=action,
        others=tuple(other.name for other in jail.actions if not other.is_ours),
        lost=lost,
    )


def _standing(action: Action | None, live: tuple[str, ...] | None) -> Standing:
    if action is None:
        return Standing.LACKS
    if live is None:
        return Standing.LATER
    has_it = action.name in live or any(map(is_our_name, live))
    return Standing.ACTIVE if has_it else Standing.ADD


def _lost(jail: Jail, plain: Jail | None) -> tuple[str, ...]:
    if plain is None:
        return ()
    # An action is more than its name: `iptables[port=1:65535]` that becomes
    # `iptables[port=ssh]` is lost.
    kept = set(jail.actions)
    return tuple(
        action.name
        for action in plain.actions
        if action not in kept and not action.is_ours
    )


def _vanished(plain: Jail) -> JailPlan:
    """Tell of a jail that our file would break."""
    return JailPlan(
        jail=plain.name,
        standing=Standing.LOSES,
        lost=tuple(action.name for action in plain.actions),
    )


def _others(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(name for name in names if not is_our_name(name))


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
