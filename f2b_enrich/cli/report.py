"""`report`: a month of bans, or any other time, in tables."""

from __future__ import annotations

import functools
import os
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import click

from f2b_enrich.attacks import CLASSES
from f2b_enrich.cli import report_output, report_zone
from f2b_enrich.cli.options import with_settings
from f2b_enrich.cli.report_filters import Filters
from f2b_enrich.cli.report_period import Asked
from f2b_enrich.cli.report_request import request_of
from f2b_enrich.config_report import MOST_LISTED
from f2b_enrich.inert import printable
from f2b_enrich.model import Service
from f2b_enrich.report.request import Request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import tzinfo

    from f2b_enrich.config import Settings
    from f2b_enrich.report.figures import Figures

Form = Literal["text", "html", "json", "csv"]

_SERVICES = get_args(Service)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wish:
    """How long the tables are, None as configured; the form, and where it goes."""

    top: int | None
    form: Form
    output: Path | None
    by_mail: bool = False
    is_once: bool = False


def _several(*names: str, metavar: str, words: str, **more: Any) -> Any:  # noqa: ANN401
    return click.option(
        *names, metavar=metavar, multiple=True, help=f"{words} May be repeated.", **more
    )


def _begun(
    ctx: click.Context,  # noqa: ARG001
    param: click.Parameter,  # noqa: ARG001
    incomplete: str,
) -> list[str]:
    """Give the classes that the Tab key may complete to (click's shell_complete)."""
    return [name for name in CLASSES if name.startswith(incomplete)]


_OPTIONS = (
    click.option("--month", metavar="YYYY-MM", help="This month: 2024-10."),
    click.option(
        "--since",
        metavar="TIME",
        help="From this time on: 2026-11-20, 2026-11-20T08:00, 30d, 12h.",
    ),
    click.option(
        "--until",
        metavar="TIME",
        help="Before this time: 2026-12-01 ends with 30 November. Default: now.",
    ),
    click.option(
        "--last",
        metavar="LENGTH",
        help="The last whole days or weeks, without today: 7d, 4w. Hours are up to "
        "now: 24h.",
    ),
    _several("--host", "hosts", metavar="HOST", words="Only this host."),
    _several(
        "--service",
        "services",
        metavar="SERVICE",
        words=f"Only jails that guard this: {', '.join(_SERVICES)}.",
        type=click.Choice(_SERVICES),
    ),
    _several("--jail", "jails", metavar="JAIL", words="Only this jail."),
    _several(
        "--country",
        "countries",
        metavar="CODE",
        words="Only addresses in this country: NL, or `unknown`.",
    ),
    _several(
        "--network",
        "networks",
        metavar="NETWORK",
        words="Only addresses of this network: AS64500, 192.0.2.0/24.",
    ),
    _several(
        "--attack",
        "attacks",
        metavar="CLASS",
        words="Only bans that this class of attack leads; `bans list --help` lists "
        "them.",
        shell_complete=_begun,
    ),
    _several(
        "--exclude-jail",
        "without_jails",
        metavar="JAIL",
        words="Leave this jail out; the report says so.",
    ),
    click.option(
        "--without-scanners",
        is_flag=True,
        help="Leave known scanners out; both totals are given.",
    ),
    click.option(
        "--timezone",
        metavar="ZONE",
        help="Days, hours and months of this zone: Europe/Berlin, UTC. Default: as "
        "configured, else the machine's.",
    ),
    click.option(
        "--top",
        type=click.IntRange(1, MOST_LISTED),
        metavar="N",
        help=f"Rows of each table, 1 to {MOST_LISTED:,}, and what is tied with the "
        "last. Default: as configured, else 10.",
    ),
    click.option(
        "--format",
        "form",
        type=click.Choice(get_args(Form)),
        metavar="FORM",
        default="text",
        show_default=True,
        help="text, html: a page with charts, json, or csv: a folder of tables.",
    ),
    click.option(
        "-o",
        "--output",
        type=click.Path(path_type=Path),
        metavar="PATH",
        help="The file to write, whole at once; for csv the folder.",
    ),
    click.option(
        "--mail",
        "by_mail",
        is_flag=True,
        help="Mail it, with pictures, to report.recipient, else mail.recipient.",
    ),
    click.option(
        "--once",
        "is_once",
        is_flag=True,
        help="With --mail: not to whom the same was mailed before.",
    ),
)


def _with_options(command: Callable[..., None]) -> Callable[..., None]:
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@click.command(
    epilog="\b\nExamples:\n"
    "  f2b-enrich report\n"
    "  f2b-enrich report --month 2024-10 --exclude-jail pass2allow-ftp\n"
    "  f2b-enrich report --last 7d --service mail --without-scanners\n"
    "  f2b-enrich report --since 2026-01-01 --until 2026-07-01 --top 50\n"
    "  f2b-enrich report --format html --output october.html\n"
    "  f2b-enrich report --format json | jq .totals\n"
    "  f2b-enrich report --format csv --output october\n"
    "  f2b-enrich report --mail"
)
@_with_options
@with_settings
def report(
    settings: Settings,
    /,
    *,
    top: int | None,
    form: Form,
    output: Path | None,
    by_mail: bool,
    is_once: bool,
    **options: Any,  # noqa: ANN401 - they are the fields of Asked and Filters
) -> None:
    """Report who attacks us, when, from where and on what.

    Without a time it is the last whole month. Tables are by unique addresses, and each
    says of what its percentages are. The time before, as long, is compared with it.
    Bans that only repeat others, those of recidive, are counted apart.
    """
    wish = _Wish(top=top, form=form, output=output, by_mail=by_mail, is_once=is_once)
    _check(wish)
    report_output.refuse_store(settings, output)
    asked = Asked(**{one.name: options.pop(one.name) for one in fields(Asked)})
    now = datetime.now(UTC)
    try:
        request = _request(settings, asked, Filters(**options), top=top, now=now)
    except ValueError as exc:
        raise click.UsageError(str(exc)) from None
    if by_mail:
        _mail(settings, request, wish, now)
        return
    figures = _count(settings, request, now)
    _write(figures, wish, request.zone)
    if form != "text" and not figures.totals.measure.bans:
        _remark(f"no bans in {request.label}")


def _check(wish: _Wish) -> None:
    if wish.is_once and not wish.by_mail:
        raise click.UsageError("--once needs --mail")
    if wish.by_mail and (wish.form != "text" or wish.output is not None):
        raise click.UsageError("--mail takes neither --format nor --output")
    if wish.form == "csv" and wish.output in {None, Path("-")}:
        raise click.UsageError("--format csv needs --output FOLDER")
    if wish.form == "html":
        report_output.check_page(wish.output)


def _mail(settings: Settings, request: Request, wish: _Wish, now: datetime) -> None:
    """Have it sent, unless all who get it have it and nobody wants it again."""
    from f2b_enrich.cli import report_mail  # noqa: PLC0415 - it reads the figures' names

    to = report_mail.addressees(settings)
    if wish.is_once:
        to = report_mail.without_those_told(settings, request, to)
        if not to.recipients:
            return
    figures = _count(settings, request, now)
    drawn = report_mail.draw(figures)
    report_mail.queue(
        settings, figures, request, to, drawn=drawn, now=now, is_once=wish.is_once
    )


def _count(settings: Settings, request: Request, now: datetime) -> Figures:
    # Only here: what counts is large, and `f2b-enrich --help` imports each command.
    from f2b_enrich.report.making import make  # noqa: PLC0415
    from f2b_enrich.report.organisations import OrganisationRules  # noqa: PLC0415

    rules = OrganisationRules.configured(settings.report)
    with report_output.patience(f"counting the bans of {request.label} ..."):
        return make(
            settings.store.path,
            request,
            # The same networks come back in each table.
            functools.cache(rules.organisation),
            now=now,
            processes=len(os.sched_getaffinity(0)),
        )


def _request(
    settings: Settings,
    asked: Asked,
    filters: Filters,
    *,
    top: int | None,
    now: datetime,
) -> Request:
    """Put together what is asked for.

    Raises:
        StoreError: there is no store yet, or it cannot be read.
        ValueError: something of it cannot be.
    """
    configured = settings.report
    name = asked.timezone or configured.timezone
    zone = report_zone.zone_called(name) if name else report_zone.local_zone()
    request, remarks = request_of(
        settings, asked, filters, zone=zone, now=now, top=top or configured.top
    )
    for remark in remarks:
        _remark(remark)
    notes = {str(service): note for service, note in configured.notes.items()}
    return replace(request, notes=notes)


def _write(figures: Figures, wish: _Wish, zone: tzinfo) -> None:
    """Write the one form that is wanted, importing no other."""
    if wish.form == "csv":
        from f2b_enrich.report import as_csv  # noqa: PLC0415

        assert wish.output is not None  # noqa: S101 - asked for above
        paths = as_csv.write(figures, wish.output)
        _remark(f"{wish.output}: {len(paths):,} files written")
    elif wish.form == "html":
        from f2b_enrich.report import as_html  # noqa: PLC0415

        with report_output.patience("drawing the charts ..."):
            text = as_html.page(figures, zone=zone)
        report_output.write(text, wish.output)
    elif wish.form == "json":
        from f2b_enrich.report import as_json  # noqa: PLC0415

        report_output.write(as_json.dump(figures), wish.output)
    else:
        from f2b_enrich.report import as_text  # noqa: PLC0415

        text = _joined(as_text.lines(figures, zone=zone))
        report_output.write(text, wish.output)


def _joined(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def _remark(text: str) -> None:
    click.echo(f"f2b-enrich: {printable(text)}", err=True)
