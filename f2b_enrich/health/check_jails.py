"""Which jails report their bans, which do not and why."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from f2b_enrich.health import jail_text
from f2b_enrich.health.links import crit, ok, warn
from f2b_enrich.health.trial import ACTION_FILE, JAIL_FILE
from f2b_enrich.inert import cut, printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from f2b_enrich.health.check_fail2ban import Fail2BanFacts
    from f2b_enrich.health.handing import Handing
    from f2b_enrich.health.links import Link

_STOCK_FILE = "jail.conf"
_MOST = 5
_LONGEST_NAME = 40
_ADD = "f2b-enrich action add"
_APPEND = "%(action_f2b_enrich)s"


def links(
    facts: Fail2BanFacts, *, folder: Path, socket: Path, spool: Path
) -> Iterator[Link]:
    """Say of all jails whether they report, and to the daemon that is configured.

    `folder` is fail2ban's, `socket` and `spool` are the daemon's.
    """
    if facts.trouble is None:
        yield from _coverage(facts, folder)
    yield from _paths(facts, socket=socket, spool=spool)


def files(folder: Path) -> Iterator[Link]:
    """Say whether our files are in fail2ban's `folder`."""
    for name in (ACTION_FILE, JAIL_FILE):
        try:
            (folder / name).stat()
        except FileNotFoundError:
            text = f"{folder / name} is not there"
            yield crit("jails", text, "run install.sh again")
        except OSError:
            continue  # fail2ban itself reads it, whoever else may not


def _coverage(facts: Fail2BanFacts, folder: Path) -> Iterator[Link]:
    jails, reporting = sorted(facts.running), facts.reporting
    if not jails:
        cure = "enable one in jail.local, say [sshd] with enabled = true"
        yield warn("jails", "no jail runs, so nothing is banned", cure)
        return
    if reporting:
        names = _named(reporting)
        count = f"{len(reporting)} of {len(jails)} have our action"
        yield ok("jails", f"{count}: {names}")
    lacking = [jail for jail in jails if jail not in reporting]
    tell = warn if reporting else crit
    for reason, cure, without in _reasons(facts, folder, lacking):
        verb = "lacks" if len(without) == 1 else "lack"
        yield tell("jails", f"{_named(without)} {verb} our action: {reason}", cure)
    yield from _passing(facts, reporting)


def _passing(facts: Fail2BanFacts, reporting: Sequence[str]) -> Iterator[Link]:
    """Name the jails that will not have it any more after a restart."""
    if facts.configured is None:
        return
    lost = [jail for jail in reporting if jail not in facts.configured]
    if lost:
        yield warn(
            "jails",
            f"{_named(lost)}: our action runs, but the configuration has none: the "
            "next start of fail2ban drops it",
            f'append "{_APPEND}" to the action of the jail',
        )


def _reasons(
    facts: Fail2BanFacts, folder: Path, jails: Iterable[str]
) -> Iterator[tuple[str, str, list[str]]]:
    """Give each reason and its cure once, with the jails that it holds for."""
    found: dict[tuple[str, str], list[str]] = {}
    for jail in jails:
        found.setdefault(_reason(facts, folder, jail), []).append(jail)
    for (reason, cure), names in found.items():
        yield reason, cure, names


def _reason(facts: Fail2BanFacts, folder: Path, jail: str) -> tuple[str, str]:
    if jail in (facts.configured or ()):
        return "fail2ban has not taken it up yet", _ADD
    place = jail_text.action_of(folder, jail)
    if place is None:
        return (
            "the configuration gives it none",
            "fail2ban-client -d shows what it does",
        )
    # fail2ban's own file is none to write to: an upgrade replaces it.
    is_stock = place.path == folder / _STOCK_FILE
    where = f"own 'action =' in {printable(str(place.path))}:{place.line}"
    if is_stock:
        cure = f"copy it to [{printable(jail)}] of jail.local and append"
    else:
        cure = "append there"
    return where, f'{cure} "{_APPEND}", then {_ADD}'


def _paths(facts: Fail2BanFacts, *, socket: Path, spool: Path) -> Iterator[Link]:
    """Name the jails that hand over to another place than where the daemon waits."""
    for option, here in (("socket", socket), ("spool", spool)):
        elsewhere: dict[Path, list[str]] = {}
        for jail, handing in sorted(facts.handings.items()):
            there = _place(handing, option)
            # /var/run is a link to /run.
            if os.path.realpath(there) != os.path.realpath(here):
                elsewhere.setdefault(there, []).append(jail)
        for there, jails in elsewhere.items():
            yield crit(
                "jails",
                f"{_named(jails)}: the {option} is {printable(str(there))}, the "
                f"daemon's is {here}",
                f"set {option} = {here} in [Init] of action.d/f2b-enrich.local "
                "or change the daemon's, then reload fail2ban",
            )


def _place(handing: Handing, option: str) -> Path:
    return handing.socket if option == "socket" else handing.spool


def _named(jails: Sequence[str]) -> str:
    """Name some jails and count the rest."""
    shown = [cut(printable(jail), _LONGEST_NAME) for jail in jails[:_MOST]]
    more = len(jails) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")
