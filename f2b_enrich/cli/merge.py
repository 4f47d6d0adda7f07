"""`merge`: the stores of several servers made one."""

from __future__ import annotations

import contextlib
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from f2b_enrich.cli.ending import left_when_told_to_end
from f2b_enrich.cli.options import config_option, db_option
from f2b_enrich.cli.tables import json_text
from f2b_enrich.mail.wording import counted
from f2b_enrich.store.union import merge as merge_stores

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from f2b_enrich.store.union import Merged, Stage

_FILE = click.Path(path_type=Path)


@click.command(epilog="\b\nExample:\n  f2b-enrich merge web1.db web2.db -o all.db")
@click.argument("stores", nargs=-1, required=True, type=_FILE)
@click.option(
    "-o", "--output", required=True, type=_FILE, help="The new store; not to be there."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@config_option
@db_option
def merge(
    *,
    stores: tuple[Path, ...],
    output: Path,
    as_json: bool,
    config_path: Path,  # noqa: ARG001 - every command takes these; this needs neither
    db_path: Path | None,  # noqa: ARG001
) -> None:
    """Make one store of several, in a new file.

    STORES are only read, also while a daemon writes to them. A ban that several of them
    know, each by other records, is one in the new store. Mails are history there: what
    was still to leave is left to the store that it is from.
    """
    if len(stores) < 2:
        raise click.UsageError("name two stores, or more")
    now = datetime.now(UTC)
    with left_when_told_to_end(), _progress() as progress:
        merged = merge_stores(stores, output, now=now, progress=progress)
    click.echo(json_text(merged) if as_json else _told(merged, output))


@contextlib.contextmanager
def _progress() -> Iterator[Callable[[Stage, int, int], None]]:
    """Show a bar for each stage, on a terminal."""
    if not sys.stderr.isatty():
        yield lambda _stage, _count, _total: None
        return
    with contextlib.ExitStack() as stack:
        bars = {}

        def show(stage: Stage, count: int, total: int) -> None:
            if stage not in bars:
                bar = click.progressbar(
                    length=total, label=stage, show_pos=True, file=sys.stderr
                )
                bars[stage] = stack.enter_context(bar)
            bars[stage].update(count)

        yield show


def _told(merged: Merged, output: Path) -> str:
    text = f"{output}: {counted(merged.bans, 'ban')}"
    if merged.read > merged.bans:
        text += f", of which the stores have {merged.read:,} records"
    return text
