"""How fast a real fail2ban bans with our action."""

from __future__ import annotations

import shutil
import sqlite3
import statistics
import time
from contextlib import closing
from typing import TYPE_CHECKING

from bench.client import MAIL
from bench.row import Row
from demo.lab import PROJECT, LabError, until

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from demo.lab import Lab

BANS = 1000
SHELL_ROUNDS = 5
PYTHON_ROUNDS = 9
SHELL_LEAST = 0.9
PYTHON_LEAST = 0.15

_JAIL = """
[{name}]
enabled = true
filter = sshd
backend = polling
logpath = {root}/{name}.log
action = {action}
"""


def shell(lab: Lab) -> list[Row]:
    """Compare the shell action with one that only starts Python."""
    bare = 'lab-command[command="exec /usr/bin/python3 -I -S -c pass"]'
    start(lab, {"bare": bare, "ours": "f2b-enrich"})
    pairs = compare(lab, "ours", "bare", SHELL_ROUNDS)
    what = "fail2ban, shell action, against one that starts Python"
    return [row(what, pairs, SHELL_LEAST)]


def in_process(lab: Lab) -> list[Row]:
    """Compare the action inside Fail2Ban with one that does nothing."""
    here = f'client="{PROJECT}/f2b_enrich/client.py", socket="{lab.socket}"'
    ours = f'f2b-enrich.py[{here}, spool="{lab.root}/spool"]'
    start(lab, {"empty": 'lab-command[command=""]', "ours": ours})
    pairs = compare(lab, "ours", "empty", PYTHON_ROUNDS)
    what = "fail2ban, in-process action, against an empty one"
    return [row(what, pairs, PYTHON_LEAST)]


def start(lab: Lab, actions: Mapping[str, str]) -> None:
    """Start the daemon, and Fail2Ban with a jail for each action."""
    text = ""
    for name, action in actions.items():
        (lab.root / f"{name}.log").touch()
        text += _JAIL.format(name=name, root=lab.root, action=action)
    lab.write_fail2ban(text)
    folder = lab.root / "etc" / "action.d"
    shutil.copy(PROJECT / "action.d" / "f2b-enrich.py", folder)
    (folder / "lab-command.conf").write_text(
        "[Definition]\nactionban = <command>\nactionunban =\n[Init]\ncommand =\n"
    )
    lab.write_config(**MAIL)
    lab.start_daemon()
    lab.start_fail2ban()


def row(what: str, pairs: Sequence[tuple[float, float]], least: float) -> Row:
    """Say how two rates relate: the median of pairs, for machines change their pace."""
    ratio = statistics.median(ours / other for ours, other in pairs)
    ours, other = (statistics.median(rates) for rates in zip(*pairs, strict=True))
    text = f"{ratio:.2f} x ({ours:.0f} bans a second against {other:.0f})"
    return Row(what, text, f"at least {least} x", ratio >= least)


def compare(lab: Lab, ours: str, other: str, rounds: int) -> list[tuple[float, float]]:
    """Give the rates of two jails that take turns, in pairs."""
    return [
        (rate(lab, ours, number), rate(lab, other, number)) for number in range(rounds)
    ]


def settled(lab: Lab, jail: str, bans: int) -> None:
    """Wait until a jail's bans are in Fail2Ban's own database."""
    query = "SELECT count(*) FROM bans WHERE jail = ?"

    def done() -> bool:
        with closing(sqlite3.connect(lab.root / "fail2ban.sqlite3")) as database:
            return bool(database.execute(query, (jail,)).fetchone() == (bans,))

    if not until(done, seconds=60):
        raise LabError(f"Fail2Ban has not written the bans of jail {jail} in 60 s")


def rate(lab: Lab, jail: str, number: int) -> float:
    """Ban addresses that are new to the jail; give how many a second."""
    addresses = [f"10.{number}.{i // 250}.{i % 250 + 1}" for i in range(BANS)]
    begun = time.perf_counter()
    lab.fail2ban("set", jail, "banip", *addresses)
    taken = time.perf_counter() - begun
    # Fail2Ban writes its own database afterwards: not at the cost of the next round.
    settled(lab, jail, BANS * (number + 1))
    if f"Currently banned:\t{BANS * (number + 1)}" not in lab.fail2ban("status", jail):
        raise LabError(f"jail {jail} does not hold {BANS} bans more")
    return BANS / taken
