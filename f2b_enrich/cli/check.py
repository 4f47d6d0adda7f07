"""`check`: the whole way of a ban looked over, each link with its cure."""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from f2b_enrich import __version__
from f2b_enrich.cli.daemon_facts import uptime
from f2b_enrich.cli.options import with_settings
from f2b_enrich.cli.times import start_of_day
from f2b_enrich.daemon.alerts import relations
from f2b_enrich.health import check as chain
from f2b_enrich.health.check_clock import is_synchronised
from f2b_enrich.health.fail2ban import PROGRAM, Fail2Ban
from f2b_enrich.health.links import Level, exit_code
from f2b_enrich.inert import printable
from f2b_enrich.mail.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from f2b_enrich.config import Settings
    from f2b_enrich.health.check import Report

_FAIL2BAN_SECONDS = 5.0
_COLOURS = {Level.WARN: "yellow", Level.CRIT: "red", Level.UNKNOWN: "cyan"}


@click.command(
    epilog="\b\nExamples:\n  f2b-enrich check\n  f2b-enrich check --offline --json"
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--offline", is_flag=True, help="Ask neither the mail server nor IPinfo.")
@click.option(
    "--socket",
    "socket_path",
    type=click.Path(path_type=Path),
    help="fail2ban's socket, instead of the one that its configuration names.",
)
@with_settings
def check(
    settings: Settings, *, as_json: bool, offline: bool, socket_path: Path | None
) -> None:
    """Look over the whole way of a ban, from fail2ban to the mail.

    Each link is ok, WARN or CRIT, with the cure; `?` is what this user may not see, so
    run it as root. Nothing is changed and no mail sent; a token costs one look-up.

    Exit codes are those of a monitoring plug-in: 0 ok, 1 warning, 2 critical, 3 not
    known. The last line has performance data.
    """
    report = chain.check(settings, _world(settings, socket_path, offline=offline))
    if as_json:
        click.echo(_json(report))
    else:
        for line in _lines(report):
            click.echo(line)
    click.get_current_context().exit(exit_code(report.links))


def _world(
    settings: Settings, socket_path: Path | None, *, offline: bool
) -> chain.World:
    folder = settings.own.fail2ban or chain.STOCK_FOLDER
    socket = () if socket_path is None else ("-s", str(socket_path))
    path = settings.store.path
    lock = path.with_name(f"{path.name}.daemon")
    now = datetime.now(UTC)
    return chain.World(
        fail2ban=Fail2Ban(
            (*PROGRAM, "-c", str(folder), *socket), timeout_seconds=_FAIL2BAN_SECONDS
        ),
        environ=os.environ,
        now=now,
        midnight=start_of_day(now, None),
        # What it cannot read of fail2ban's files is fail2ban's to complain about.
        relations=partial(relations, settings, tell=lambda _: None),
        synchronised=is_synchronised,
        up_seconds=uptime(lock, since_boot=time.clock_gettime(time.CLOCK_BOOTTIME)),
        offline=offline,
    )


def _lines(report: Report) -> Iterator[str]:
    width = max(len(link.name) for link in report.links)
    for link in report.links:
        level = click.style(f"{link.level:<4}", fg=_COLOURS.get(link.level))
        yield f"{level}  {link.name:<{width}}  {printable(str(link))}"
    yield _sum(report)


def _sum(report: Report) -> str:
    levels = Counter(link.level for link in report.links)
    text = f"{counted(levels[Level.WARN], 'warning')}, {levels[Level.CRIT]} critical"
    if levels[Level.UNKNOWN]:
        text += f", {levels[Level.UNKNOWN]} not known"
    data = " ".join(f"{name}={n}" for name, n in report.figures.known().items())
    return f"{text} | {data}"


def _json(report: Report) -> str:
    told = {
        "version": __version__,
        "exit_code": exit_code(report.links),
        "links": [asdict(link) for link in report.links],
        "figures": asdict(report.figures),
    }
    return json.dumps(told, indent=2, ensure_ascii=True)
