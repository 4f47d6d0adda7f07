"""Which actions of a running jail are ours, whatever they are called there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from f2b_enrich.health.configured import OURS, is_our_name, runs_our_client
from f2b_enrich.health.fail2ban import RefusedError

if TYPE_CHECKING:
    from f2b_enrich.health.fail2ban import Fail2Ban


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """One action of a running jail.

    `at_a_ban` is what it runs then: None for a module in the server, "" for an action
    that nobody finished.
    """

    name: str
    is_ours: bool = False
    at_a_ban: str | None = None

    @property
    def is_whole(self) -> bool:
        """Tell whether it does anything at a ban."""
        return self.at_a_ban != ""


def running_actions(fail2ban: Fail2Ban, jail: str) -> tuple[Running, ...]:
    """Look at a running jail's actions, in the order in which they are done.

    Raises:
        RefusedError: there is no such jail.
    """
    return tuple(_look(fail2ban, jail, name) for name in fail2ban.actions(jail))


def running_ours(fail2ban: Fail2Ban, jail: str) -> tuple[Running, ...]:
    """Look at our actions in a running jail, whatever they are called there.

    Raises:
        RefusedError: there is no such jail.
    """
    return tuple(one for one in running_actions(fail2ban, jail) if one.is_ours)


def at_a_ban(fail2ban: Fail2Ban, jail: str, name: str) -> str | None:
    """Read what a running action does at a ban; None for a module in the server."""
    return _value(fail2ban, jail, name, "actionban")


def _look(fail2ban: Fail2Ban, jail: str, name: str) -> Running:
    command = at_a_ban(fail2ban, jail, name)
    is_ours = is_our_name(name)
    if not is_ours and command is None:
        # What Python says of an object's class: here the file it was loaded from.
        is_ours = _value(fail2ban, jail, name, "__module__") == OURS
    elif not is_ours and command is not None:
        is_ours = runs_our_client(
            command, lambda key: _value(fail2ban, jail, name, key)
        )
    return Running(name=name, is_ours=is_ours, at_a_ban=command)


def _value(fail2ban: Fail2Ban, jail: str, name: str, key: str) -> str | None:
    try:
        return fail2ban.send("get", jail, "action", name, key).strip()
    except RefusedError:
        return None
