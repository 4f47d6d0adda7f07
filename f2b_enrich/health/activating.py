"""Our action put into running jails and taken out of them, while bans stay."""

from __future__ import annotations

from typing import TYPE_CHECKING

from f2b_enrich.health import activation
from f2b_enrich.health.fail2ban import DownError, Fail2BanError, RefusedError
from f2b_enrich.health.running import at_a_ban, running_actions, running_ours

if TYPE_CHECKING:
    from collections.abc import Callable

    from f2b_enrich.health.configured import Action
    from f2b_enrich.health.fail2ban import Fail2Ban
    from f2b_enrich.health.running import Running

_IS_THERE = "already exists"
_NO_JAIL = "does not exist"


class JailGoneError(Fail2BanError):
    """The jail ended in the meantime: nothing is left to do there."""


def running_jails(fail2ban: Fail2Ban) -> dict[str, tuple[Running, ...]] | None:
    """Look at the actions of each running jail; None when no server runs.

    An action of ours that was not finished is left out: `add` makes it whole.
    """
    try:
        jails = fail2ban.jails()
    except DownError:
        return None
    found = {}
    for jail in jails:
        try:
            actions = running_actions(fail2ban, jail)
        except RefusedError:
            continue  # it ended since
        found[jail] = tuple(one for one in actions if one.is_whole or not one.is_ours)
    return found


def add(
    fail2ban: Fail2Ban, jail: str, action: Action, *, wait: Callable[[str], object]
) -> None:
    """Add the whole action to a running jail, or nothing of it.

    `wait` is told the jail, and comes back when that carries out no ban.

    Raises:
        JailGoneError: the jail ended.
        Fail2BanError: the server refused, or does not answer any more.
    """
    if _has(fail2ban, jail, action.name):
        if _is_whole(fail2ban, jail, action.name):
            return  # a reload or somebody else was faster
        wait(jail)
        fail2ban.send(*activation.removal(jail, action.name))
    wait(jail)
    try:
        fail2ban.send_all(activation.activation(jail, action))
    except RefusedError as exc:
        if not _has(fail2ban, jail, action.name):
            raise
        if _IS_THERE not in exc.reason:
            fail2ban.send(*activation.removal(jail, action.name))
            raise
        # Somebody else was faster by a moment, and it is not ours to take away.
        if not _is_whole(fail2ban, jail, action.name):
            raise


def remove(
    fail2ban: Fail2Ban, *, wait: Callable[[str], object]
) -> tuple[tuple[str, str], ...]:
    """Take our action out of every running jail; name each jail and its action.

    `wait` as in `add`.

    Raises:
        DownError: no server runs.
        Fail2BanError: the server refused, or does not answer any more.
    """
    removed = []
    for jail in fail2ban.jails():
        try:
            for action in running_ours(fail2ban, jail):
                wait(jail)
                fail2ban.send(*activation.removal(jail, action.name))
                removed.append((jail, action.name))
        except RefusedError as exc:
            # The parts of a name with ", " in it are told as jails, and are none.
            if _NO_JAIL not in exc.reason and jail in fail2ban.jails():
                raise
    return tuple(removed)


def _has(fail2ban: Fail2Ban, jail: str, name: str) -> bool:
    try:
        return name in fail2ban.actions(jail)
    except RefusedError as exc:
        raise JailGoneError(f"jail {jail} ended meanwhile") from exc


def _is_whole(fail2ban: Fail2Ban, jail: str, name: str) -> bool:
    return at_a_ban(fail2ban, jail, name) != ""
