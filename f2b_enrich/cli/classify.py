"""`classify`: what log lines show, and old bans by the rules of today."""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from f2b_enrich.cli.classify_all import Done, Reclassing
from f2b_enrich.cli.classify_input import arrivals, opened
from f2b_enrich.cli.classify_lines import (
    LineReader,
    LineTable,
    line_json,
    verdict_json,
    verdict_table,
)
from f2b_enrich.cli.classify_rules import read_rules, wrong_examples
from f2b_enrich.cli.opening import as_stored, is_there
from f2b_enrich.cli.options import with_settings
from f2b_enrich.cli.tables import json_text
from f2b_enrich.daemon.analysis import Analysis
from f2b_enrich.errors import StoreError
from f2b_enrich.inert import printable
from f2b_enrich.mail.wording import counted
from f2b_enrich.store.connection import open_writer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from f2b_enrich.config import Settings


@click.command(
    epilog="\b\nExamples:\n"
    "  f2b-enrich classify auth.log --jail sshd\n"
    "  tail -f access.log | f2b-enrich classify - --rules my.toml\n"
    "  f2b-enrich classify - --json < access.log\n"
    "  f2b-enrich classify --all"
)
@click.argument("files", metavar="[FILE]...", nargs=-1)
@click.option("--all", "all_bans", is_flag=True, help="Class the stored bans anew.")
@click.option("--jail", help="The jail that the lines would be of.")
@click.option(
    "--rules",
    "rules_file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Rules to try: they come before all others, in place of those of rules.d "
    "that have the same names.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, an object a line.")
@with_settings
def classify(
    settings: Settings,
    files: tuple[str, ...],
    *,
    all_bans: bool,
    jail: str | None,
    rules_file: Path | None,
    as_json: bool,
) -> None:
    """Tell what log lines show, or class stored bans by the rules of today.

    Reads FILEs, - for standard input, and prints for each line its class of attack,
    the rule that tells it and the values it shows; at the end what the lines would
    come to as one ban. That is of the first 64 KiB, which is what a ban keeps. Nothing
    is stored.

    With --all, bans that other rules or jails have classed than those that are there
    now are classed anew. It may be interrupted and called again, and the daemon goes
    on beside it.
    """
    if all_bans and files:
        raise click.UsageError("FILE and --all exclude each other")
    if all_bans and (jail is not None or rules_file is not None):
        raise click.UsageError("--jail and --rules are for lines, not for --all")
    if all_bans:
        _class_all(settings, as_json=as_json)
        return
    if not files:
        raise click.UsageError("name a FILE, - for standard input, or --all")
    analysis = _analysis(settings, rules_file)
    if jail is not None:
        jail = as_stored(jail)
        jail = settings.jails.aliases.get(jail, jail)
        if analysis.known_jail(jail).origin == "unknown":
            _tell(f"no jail {jail!r} is known, [jails.own] can name it")
    _class_lines(analysis, files, jail=jail, as_json=as_json)


def _analysis(settings: Settings, rules_file: Path | None) -> Analysis:
    if rules_file is None:
        return Analysis.configured(settings)
    first = read_rules(rules_file)
    for problem in wrong_examples(first, origin=str(rules_file)):
        _tell(problem)
    return Analysis.configured(settings, first=first)


def _tell(problem: str) -> None:
    click.echo(f"f2b-enrich: {printable(problem)}", err=True)


def _class_lines(
    analysis: Analysis, files: Sequence[str], *, jail: str | None, as_json: bool
) -> None:
    reader, table = LineReader(analysis, jail=jail), LineTable(analysis)
    if not as_json:
        click.echo(table.heading())
    try:
        for file in files:
            if len(files) > 1 and not as_json:
                click.echo(f"{printable(file)}:")
            _class_file(reader, file, None if as_json else table)
    except KeyboardInterrupt:  # how `tail -f` ends
        _echo_verdict(reader, as_json=as_json)
        raise
    _echo_verdict(reader, as_json=as_json)


def _class_file(reader: LineReader, file: str, table: LineTable | None) -> None:
    """Print what each line shows, at once; without a table as JSON."""
    number = 0
    with opened(file) as stream:
        for lines in arrivals(stream, name=file):
            rows = [
                line_json(file, line) if table is None else table.line(line)
                for line in reader.read(lines, after=number)
            ]
            number += len(rows)
            if rows:
                click.echo("\n".join(rows))


def _echo_verdict(reader: LineReader, *, as_json: bool) -> None:
    verdict = reader.verdict()
    if as_json:
        click.echo(verdict_json(verdict))
        return
    click.echo()
    for row in verdict_table(verdict):
        click.echo(row)


def _class_all(settings: Settings, *, as_json: bool) -> None:
    analysis = Analysis.configured(settings)
    path = settings.store.path
    if not is_there(path):
        raise StoreError(f"store {path}: there is none yet, the daemon makes it")
    with open_writer(path) as connection:
        run = Reclassing(
            connection,
            analysis,
            now=lambda: datetime.now(UTC),
            clock=time.monotonic,
            pause=time.sleep,
        )
        try:
            _show_progress(run)
        except KeyboardInterrupt:
            _tell(f"interrupted: {_told(run.done)}; call it again to go on")
            raise
    if as_json:
        click.echo(json_text(run.done))
    elif run.done == Done():
        click.echo(
            "nothing to do: all bans are classed by the rules and jails of today"
        )
    else:
        click.echo(_told(run.done))


def _show_progress(run: Reclassing) -> None:
    if not sys.stderr.isatty():
        for _ in run.steps():
            pass
        return
    with click.progressbar(
        length=run.left(), label="bans", show_pos=True, file=sys.stderr
    ) as bar:
        for count in run.steps():
            bar.update(count)


def _told(done: Done) -> str:
    text = f"classed {counted(done.classed, 'ban')} anew"
    if done.changed:
        text += f", {done.changed:,} with another leading class"
    if done.kept:
        text += f"; {done.kept:,} kept, their lines are no longer stored"
    if done.left:
        text += f"; {done.left:,} left to the daemon, their lines came just now"
    return text
