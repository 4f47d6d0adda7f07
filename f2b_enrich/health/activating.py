"""Our action put into running jails and taken out of them, while bans stay."""

from __future__ import annotations

from typing import TYPE_CHECKING

from f2b_enrich.health import activation
from f2b_enrich.health.configured import CLIENT_WORD, is_our_name
from f2b_enrich.health.fail2ban import DownError, Fail2BanError, RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from f2b_enrich.health.configured import Action
    from f2b_enrich.health.fail2ban import Fail2Ban


class JailGoneError(Fail2BanError):
    """The jail ended in the meantime: nothing is left to do there."""


def running_jails(fail2ban: Fail2Ban) -> dict[str, tuple[str, ...]] | None:
    """Name the actions of each running jail; None when no server runs.

    An action of ours that was not finished is left out: `add` makes it whole.
    """
    try:
        jails = fail2ban.jails()
    except DownError:
        return None
    found = {}
    for jail in jails:
        try:
            names = fail2ban.actions(jail)
        except RefusedError:
            continue  # it ended since
        found[jail] = tuple(
            name
            for name in names
            if not is_our_name(name) or _is_whole(fail2ban, jail, name)
        )
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
    except RefusedError:
        if _has(fail2ban, jail, action.name):
            fail2ban.send(*activation.removal(jail, action.name))
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
            for name in fail2ban.actions(jail):
                if not is_our_name(name) and not _runs_our_client(fail2ban, jail, name):
                    continue
                wait(jail)
                fail2ban.send(*activation.removal(jail, name))
                removed.append((jail, name))
        except RefusedError:
            if jail in fail2ban.jails():
                raise
    return tuple(removed)


def _has(fail2ban: Fail2Ban, jail: str, name: str) -> bool:
    try:
        return name in fail2ban.actions(jail)
    except RefusedError as exc:
        raise JailGoneError(f"jail {jail} ended meanwhile") from exc


def _is_whole(fail2ban: Fail2Ban, jail: str, name: str) -> bool:
    return _at_a_ban(fail2ban, jail, name) != ""


def _runs_our_client(fail2ban: Fail2Ban, jail: str, name: str) -> bool:
    return CLIENT_WORD in (_at_a_ban(fail2ban, jail, name) or "")


def _at_a_ban(fail2ban: Fail2Ban, jail: str, name: str) -> str | None:
    """Read what a running action does at a ban; None for a module in the server."""
    try:
        return fail2ban.send("get", jail, "action", name, "actionban").strip()
    except RefusedError:
        return None
