"""`check`: the whole way of a ban looked over, each link with its cure."""

from __future__ import annotations

import json
import os
import sys
import time
from collections import Counter
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from f2b_enrich import __version__
from f2b_enrich.cli.daemon_facts import uptime
from f2b_enrich.cli.options import config_option, db_option, read_settings
from f2b_enrich.daemon.alerts import relations
from f2b_enrich.errors import ConfigError
from f2b_enrich.health import check as chain
from f2b_enrich.health import check_process
from f2b_enrich.health.check_clock import is_synchronised
from f2b_enrich.health.fail2ban import PROGRAM, Fail2Ban
from f2b_enrich.health.links import Level, exit_code
from f2b_enrich.inert import printable
from f2b_enrich.mail.wording import counted
from f2b_enrich.model import start_of_day
from f2b_enrich.store.connection import daemon_lock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from f2b_enrich.config import Settings
    from f2b_enrich.health.check import Report

_FAIL2BAN_SECONDS = 5.0
_VERDICTS = ("OK", "WARNING", "CRITICAL", "UNKNOWN")
_COLOURS = {Level.WARN: "yellow", Level.CRIT: "red", Level.UNKNOWN: "cyan"}


@click.command(
    epilog="\b\nExamples:\n  f2b-enrich check\n  f2b-enrich check --offline --json"
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--offline", is_flag=True, help="Ask neither the mail server nor IPinfo.")
@click.option(
    "--summary-first",
    is_flag=True,
    help="Begin with the summary: monitoring systems show the first line.",
)
@click.option(
    "--socket",
    "socket_path",
    type=click.Path(path_type=Path),
    help="fail2ban's socket, instead of the one that its configuration names.",
)
@config_option
@db_option
def check(
    *,
    as_json: bool,
    offline: bool,
    summary_first: bool,
    socket_path: Path | None,
    config_path: Path,
    db_path: Path | None,
) -> None:
    """Look over the whole way of a ban, from fail2ban to the mail.

    Each link is ok, WARN or CRIT, with the cure; `?` is what this user may not see, so
    run it as root. Nothing is changed and no mail sent. With a token IPinfo is asked
    what is left of its quota; where it does not say, about one address, which counts: a
    check every minute wants --offline.

    Exit codes are those of a monitoring plug-in: 0 ok, 1 warning, 2 critical, 3 not
    known. The summary has performance data.
    """
    try:
        settings = read_settings(config_path, db_path)
    except ConfigError as exc:
        report = chain.without_settings(exc)
    else:
        report = chain.check(settings, _world(settings, socket_path, offline=offline))
    lines = [_json(report)] if as_json else _lines(report, summary_first=summary_first)
    for line in lines:
        click.echo(line)
    _leave(exit_code(report.links))


def _leave(code: int) -> NoReturn:
    """End now: a look that hangs has a thread that Python would wait for."""
    sys.stdout.flush()
    if sys.stdout is sys.__stdout__:  # else somebody in this process reads it
        os._exit(code)
    click.get_current_context().exit(code)


def _world(
    settings: Settings, socket_path: Path | None, *, offline: bool
) -> chain.World:
    folder = settings.own.fail2ban or chain.STOCK_FOLDER
    socket = () if socket_path is None else ("-s", str(socket_path))
    lock = daemon_lock(settings.store.path)
    process = check_process.holder(lock)
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
        process=process,
        account=check_process.installed() if process is None else process.account,
        offline=offline,
    )


def _lines(report: Report, *, summary_first: bool) -> Iterator[str]:
    if summary_first:
        yield f"{_verdict(report)}: {_sum(report)}"
    width = max(len(link.name) for link in report.links)
    for link in report.links:
        level = click.style(f"{link.level:<4}", fg=_COLOURS.get(link.level))
        # A monitoring system takes what is behind a | for figures.
        text = printable(str(link)).replace("|", "\u00a6")
        yield f"{level}  {link.name:<{width}}  {text}"
    if not summary_first:
        yield _sum(report)


def _verdict(report: Report) -> str:
    """Name what is worst, which is all that a notification shows."""
    code = exit_code(report.links)
    names = {link.name: None for link in report.links if exit_code([link]) == code}
    return f"{_VERDICTS[code]} {', '.join(names)}" if code else _VERDICTS[code]


def _sum(report: Report) -> str:
    levels = Counter(link.level for link in report.links)
    text = f"{counted(levels[Level.WARN], 'warning')}, {levels[Level.CRIT]} critical"
    if levels[Level.UNKNOWN]:
        text += f", {levels[Level.UNKNOWN]} not known"
    data = " ".join(f"{name}={n}" for name, n in report.figures.known().items())
    return f"{text} | {data}" if data else text


def _json(report: Report) -> str:
    told = {
        "version": __version__,
        "exit_code": exit_code(report.links),
        "links": [asdict(link) for link in report.links],
        "figures": asdict(report.figures),
    }
    return json.dumps(told, indent=2, ensure_ascii=True)
