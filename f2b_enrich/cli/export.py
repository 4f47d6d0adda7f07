"""`export`: what can be given away, for it names no one."""

from __future__ import annotations

import functools
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import click

from f2b_enrich.cli import export_request, report_output, report_zone
from f2b_enrich.cli.export_request import remark, request_of
from f2b_enrich.cli.options import with_settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from f2b_enrich.config import Settings
    from f2b_enrich.report.anonymised import Anonymised

Form = Literal["csv", "jsonl", "sqlite"]

_STANDARD = Path("-")

_output = click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="The file to write, whole at once.",
)


@click.group()
def export() -> None:
    """Write bans and figures that name no one, to be given away."""


@export.command(
    "anonymised",
    params=export_request.options(),
    epilog="\b\nExamples:\n"
    "  f2b-enrich export anonymised --month 2024-10 -o october.csv\n"
    "  f2b-enrich export anonymised --since 2024-01-01 --dates month -o 2024.csv\n"
    "  f2b-enrich export anonymised --format sqlite --min-cell 20 -o bans.db\n"
    "  f2b-enrich export anonymised --format jsonl --service ssh | gzip > ssh.gz",
)
@click.option(
    "--dates",
    type=click.Choice(("day", "month")),
    default="day",
    show_default=True,
    help="How exactly dates are told, in UTC. With months places are told better.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(get_args(Form)),
    metavar="FORM",
    default="csv",
    show_default=True,
    help="csv, jsonl: an object in each line, or sqlite: a database.",
)
@_output
@with_settings
def anonymised(
    settings: Settings,
    /,
    *,
    least: int,
    dates: str,
    form: Form,
    output: Path | None,
    **options: Any,  # noqa: ANN401 - they are the fields of Asked and Filters
) -> None:
    """Write of each ban the place, network, date and service, and nothing else.

    A row is a ban: country, region, city, AS number, date (UTC) and service. Rows that
    are alike come from N different addresses at least; of fewer, city, region, network,
    day and country are left out in turn, and in the end the ban. Without a time it is
    the last whole month of UTC. Bans that only repeat others, those of recidive, are
    left out.
    """
    if form == "sqlite" and output in {None, _STANDARD}:
        raise click.UsageError("--format sqlite needs --output FILE")
    report_output.refuse_store(settings, output)
    now = datetime.now(UTC)
    zone = report_zone.zone_called("UTC")
    request = request_of(settings, options, zone=zone, now=now)
    # Only here: what counts is large, and `f2b-enrich --help` imports each command.
    from f2b_enrich.report.anonymised import anonymise  # noqa: PLC0415

    with report_output.patience(f"reading the bans of {request.label} ..."):
        found = anonymise(
            settings.store.path, request, least=least, by_month=dates == "month"
        )
    _write(found, form, output)
    _tell(found, request.label)


def _write(found: Anonymised, form: Form, output: Path | None) -> None:
    from f2b_enrich.report import anonymised_forms  # noqa: PLC0415

    if form == "sqlite":
        assert output is not None  # noqa: S101 - asked for above
        report_output.fill(
            lambda path: anonymised_forms.write_sqlite(found, path), output
        )
    elif form == "jsonl":
        report_output.write_parts(anonymised_forms.json_parts(found), output)
    else:
        report_output.write_parts(anonymised_forms.csv_parts(found), output)


def _tell(found: Anonymised, label: str) -> None:
    """Say how much of the bans is told: too coarse a data set is of no use."""
    from f2b_enrich.report.anonymised import COARSENED  # noqa: PLC0415

    if not found.bans:
        remark(f"no bans in {label}")
        return
    told = found.bans - found.left_out
    remark(
        f"{label}: {told:,} of {found.bans:,} bans told, in rows of at least "
        f"{found.least:,} addresses; {found.left_out:,} left out"
    )
    coarser = [
        f"{bans:,} without {_and(COARSENED[1 : number + 1])}"
        for number, bans in enumerate(found.steps)
        if number and bans
    ]
    remark("; ".join([f"{found.steps[0]:,} told whole", *coarser]))
    if found.least == 1:
        remark("--min-cell 1 makes nothing coarser: a row may be about one person")


def _and(words: Sequence[str]) -> str:
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last


@export.command(
    "summary",
    params=export_request.options("timezone", "top"),
    epilog="\b\nExamples:\n"
    "  f2b-enrich export summary -o october.json\n"
    "  f2b-enrich export summary --month 2024-10 --min-cell 10 | jq .countries",
)
@_output
@with_settings
def summary(
    settings: Settings,
    /,
    *,
    least: int,
    top: int | None,
    output: Path | None,
    **options: Any,  # noqa: ANN401 - they are the fields of Asked and Filters
) -> None:
    """Write the figures of a report that name no one, as JSON.

    No address, host, jail or user name is in it, no line of fewer than N addresses, no
    day or hour of fewer than N bans, and nothing if all bans are of fewer than N
    addresses. Without a time it is the last whole month.
    """
    report_output.refuse_store(settings, output)
    now = datetime.now(UTC)
    name = options["timezone"] or settings.report.timezone
    try:
        zone = report_zone.zone_called(name) if name else report_zone.local_zone()
    except ValueError as exc:
        raise click.UsageError(str(exc)) from None
    request = request_of(
        settings, options, zone=zone, now=now, top=top or settings.report.top
    )
    # Only here, as above.
    from f2b_enrich.report import summary_json  # noqa: PLC0415
    from f2b_enrich.report.making import make  # noqa: PLC0415
    from f2b_enrich.report.organisations import OrganisationRules  # noqa: PLC0415
    from f2b_enrich.report.summarising import summarise  # noqa: PLC0415

    rules = OrganisationRules.configured(settings.report)
    with report_output.patience(f"counting the bans of {request.label} ..."):
        figures = make(
            settings.store.path,
            request,
            functools.cache(rules.organisation),
            now=now,
            processes=len(os.sched_getaffinity(0)),
        )
    report_output.write(summary_json.dump(summarise(figures, least=least)), output)
    if not figures.totals.measure.bans:
        remark(f"no bans in {request.label}")
