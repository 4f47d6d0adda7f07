"""`config`: check it, show what is in effect, write a sample."""

from __future__ import annotations

import os
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from f2b_enrich.classify.rules_folder import load_folder
from f2b_enrich.cli import setting_sources
from f2b_enrich.cli.classify_rules import wrong_examples
from f2b_enrich.cli.config_text import effective, sample
from f2b_enrich.cli.options import (
    config_option,
    db_option,
    read_settings,
    with_settings,
)
from f2b_enrich.daemon.analysis import Analysis
from f2b_enrich.daemon.server import user_numbers
from f2b_enrich.enrich.scanners import Scanners
from f2b_enrich.errors import ConfigError, F2bEnrichError
from f2b_enrich.inert import printable
from f2b_enrich.mail.addresses import route
from f2b_enrich.mail.sample import check_templates
from f2b_enrich.report.organisations import OrganisationRules

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from f2b_enrich.config import Settings

_GOOD, _BAD = "ok", "WRONG"


@click.group()
def config() -> None:
    """Check the configuration, show what is in effect, write a sample."""


@config.command(
    "check",
    epilog="\b\nExample:\n  f2b-enrich config check --config new.toml",
)
@config_option
@db_option
def check(config_path: Path, db_path: Path | None) -> None:
    """Read the configuration as the daemon would, and say what is wrong with it.

    Sends nothing and asks no server. Exit code 1 if anything is wrong.
    """
    try:
        settings = read_settings(config_path, db_path)
    except ConfigError as exc:
        found = [(_BAD, problem) for problem in exc.problems]
    else:
        found = [(_GOOD, setting_sources.told(config_path)), *_findings(settings)]
    for verdict, text in found:
        click.echo(printable(f"{verdict:<7}{text}"))
    if any(verdict == _BAD for verdict, _ in found):
        click.get_current_context().exit(1)


def _findings(settings: Settings) -> Iterator[tuple[str, str]]:
    token = setting_sources.ipinfo_token(settings, os.environ)
    password = setting_sources.smtp_password(settings, os.environ)
    for name, state in (("IPinfo token", token), ("SMTP password", password)):
        verdict = _GOOD if state.problem is None else _BAD
        yield verdict, f"{name}: {state}"
    smtp = settings.mail.smtp
    if smtp.user and not password.is_set and password.problem is None:
        yield _BAD, f"mail.smtp.user is {smtp.user}, but there is no password for it"
    yield from _users(settings)
    yield from _addresses(settings)
    yield from _own_files(settings)


def _own_files(settings: Settings) -> Iterator[tuple[str, str]]:
    """Check what stands beside the configuration and is used only when it is there."""
    enrich, report = settings.enrich, settings.report
    scanners = partial(Scanners.configured, enrich)
    yield from _own_list("scanners", enrich.scanners, scanners)
    organisations = partial(OrganisationRules.configured, report)
    yield from _own_list("organisations", report.organisations, organisations)
    yield from _rules(settings)
    folder = settings.mail.templates
    problems = check_templates(folder)
    yield from ((_BAD, problem) for problem in problems)
    if not problems and folder.is_dir():
        yield _GOOD, f"templates: those in {folder} render"


def _own_list(
    what: str, own: Path, read: Callable[[], object]
) -> Iterator[tuple[str, str]]:
    """Check a list that adds to a shipped one."""
    try:
        read()
    except ConfigError as exc:
        yield from ((_BAD, problem) for problem in exc.problems)
    else:
        if own.is_file():
            yield _GOOD, f"{what}: {own} adds to the shipped list"


def _rules(settings: Settings) -> Iterator[tuple[str, str]]:
    """Compile all rules, as the daemon does: together they may be too many."""
    folder = settings.classify.rules
    try:
        Analysis.configured(settings)
        own = load_folder(folder)
    except ConfigError as exc:
        yield from ((_BAD, problem) for problem in exc.problems)
        return
    wrong = list(wrong_examples(own, origin=str(folder)))
    yield from ((_BAD, problem) for problem in wrong)
    if own and not wrong:
        yield _GOOD, f"rules: {len(own):,} in {folder} before the shipped ones"


def _users(settings: Settings) -> Iterator[tuple[str, str]]:
    try:
        user_numbers(settings.daemon.users)
    except F2bEnrichError as exc:
        yield _BAD, str(exc)


def _addresses(settings: Settings) -> Iterator[tuple[str, str]]:
    chosen = route(None, None, settings=settings.mail, host=settings.host_name)
    for address, reason in chosen.refused:
        yield _BAD, f"mail: {address}: {reason}"
    if not chosen.refused:
        yield _GOOD, f"mail: {chosen.sender} -> {', '.join(chosen.recipients)}"


@config.command("show", epilog="\b\nExample:\n  f2b-enrich config show")
@with_settings
def show(settings: Settings) -> None:
    """Print what is in effect as TOML: file, drop-ins and defaults together.

    Of secrets it says only whether they are set, and from where.
    """
    path: Path = click.get_current_context().params["config_path"]
    token = setting_sources.ipinfo_token(settings, os.environ)
    password = setting_sources.smtp_password(settings, os.environ)
    text = effective(
        settings,
        files=setting_sources.told(path),
        secrets={"ipinfo": token, "mail.smtp": password},
    )
    for line in text.splitlines():
        click.echo(printable(line))


@config.command(
    "init",
    epilog="\b\nExamples:\n"
    "  f2b-enrich config init\n"
    "  f2b-enrich config init --force sample.toml",
)
@click.argument("path", required=False, type=click.Path(dir_okay=False, path_type=Path))
@click.option("--force", is_flag=True, help="Overwrite a file that is there.")
@config_option
@db_option
def init(
    path: Path | None,
    *,
    force: bool,
    config_path: Path,
    db_path: Path | None,  # noqa: ARG001 - every command takes it
) -> None:
    """Write a commented sample to PATH, or to the file that --config names.

    Every key is in it, commented out, with its default and what it is for. A file
    that is there is kept unless --force is given.
    """
    target = path or config_path
    try:
        _write(target, sample(), force=force)
    except FileExistsError:
        raise ConfigError(
            (f"{target}: is there already, --force overwrites",)
        ) from None
    except OSError as exc:
        raise ConfigError((f"{target}: {exc.strerror}",)) from exc
    click.echo(printable(f"{target}: written"), err=True)


def _write(path: Path, text: str, *, force: bool) -> None:
    """Write a file for root and the group of its folder, which is the daemon's."""
    how = os.O_TRUNC if force else os.O_EXCL
    flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | how
    descriptor = os.open(path, flags, 0o640)
    with open(descriptor, "w", encoding="utf-8") as file:  # noqa: PTH123
        os.fchmod(descriptor, 0o640)
        with suppress(PermissionError):
            os.fchown(descriptor, -1, path.parent.stat().st_gid)
        file.write(text)
