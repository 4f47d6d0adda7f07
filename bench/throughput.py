"""How fast a real fail2ban bans with our action."""

from __future__ import annotations

import shutil
import statistics
import time
from typing import TYPE_CHECKING

from bench.row import Row
from demo.lab import PROJECT, LabError

if TYPE_CHECKING:
    from collections.abc import Sequence

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


def measure(lab: Lab) -> list[Row]:
    """Ban 1,000 addresses at once in jails with one action each, in turn."""
    bare = 'lab-command[command="exec /usr/bin/python3 -I -S -c pass"]'
    here = f'client="{PROJECT}/f2b_enrich/client.py", socket="{lab.socket}"'
    in_process = f'f2b-enrich.py[{here}, spool="{lab.root}/spool"]'
    jails = {
        "bare": bare,
        "ours": "f2b-enrich",
        "empty": 'lab-command[command=""]',
        "inside": in_process,
    }
    text = ""
    for name, action in jails.items():
        (lab.root / f"{name}.log").touch()
        text += _JAIL.format(name=name, root=lab.root, action=action)
    lab.write_fail2ban(text)
    actions = lab.root / "etc" / "action.d"
    shutil.copy(PROJECT / "action.d" / "f2b-enrich.py", actions)
    (actions / "lab-command.conf").write_text(
        "[Definition]\nactionban = <command>\nactionunban =\n[Init]\ncommand =\n"
    )
    lab.write_config(mail={"wait_seconds": 600})
    lab.start_daemon()
    lab.start_fail2ban()
    shell = compare(lab, "ours", "bare", SHELL_ROUNDS)
    inside = compare(lab, "inside", "empty", PYTHON_ROUNDS)
    return [
        row(
            "fail2ban, shell action, against one that starts Python", shell, SHELL_LEAST
        ),
        row("fail2ban, in-process action, against an empty one", inside, PYTHON_LEAST),
    ]


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


def rate(lab: Lab, jail: str, number: int) -> float:
    """Ban addresses that are new to the jail; give how many a second."""
    addresses = [f"10.{number}.{i // 250}.{i % 250 + 1}" for i in range(BANS)]
    begun = time.perf_counter()
    lab.fail2ban("set", jail, "banip", *addresses)
    taken = time.perf_counter() - begun
    if f"Currently banned:\t{BANS * (number + 1)}" not in lab.fail2ban("status", jail):
        raise LabError(f"jail {jail} does not hold {BANS} bans more")
    return BANS / taken
