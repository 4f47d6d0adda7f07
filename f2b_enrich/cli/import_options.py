"""Options that all imports have in common."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from f2b_enrich.cli.opening import as_stored
from f2b_enrich.cli.options import with_settings
from f2b_enrich.config_types import host_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from f2b_enrich.config import Settings
    from f2b_enrich.store.intake import LookUp

NAMED_HOST = "what they name, else the configured host"
READ_AGAIN = "Read also what an earlier run has read."


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportOptions:
    """How an import is run; `host` is that of all records, None whichever they name."""

    settings: Settings
    host: str | None
    look_up: LookUp
    dry_run: bool
    show_unparsed: bool
    as_json: bool
    again: bool = False


def import_options(
    *, host: str = NAMED_HOST, again: str | None = READ_AGAIN
) -> Callable[[Callable[..., int]], Callable[..., int]]:
    """Add the options; the command gets them gathered as its first argument.

    `host` says which servers the records are of without `--host`, `again` what that
    option does, None where there is none.
    """

    def add(command: Callable[..., int]) -> Callable[..., int]:
        @click.option(
            "--host",
            metavar="NAME",
            callback=_checked,
            help="The server that all of it is of, whatever the records name. Default: "
            f"{host}.",
        )
        @click.option(
            "--enrich",
            "look_up",
            type=click.Choice(["local", "full", "none"]),
            default="local",
            show_default=True,
            help="Where the daemon looks addresses up afterwards: in the local "
            "database, also at IPinfo, or nowhere.",
        )
        @_again(again)
        @click.option("--dry-run", is_flag=True, help="Only read and count.")
        @click.option(
            "--show-unparsed",
            is_flag=True,
            help="Show some of what could not be read.",
        )
        @click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
        @with_settings
        @functools.wraps(command)
        def run(settings: Settings, *args: Any, **kwargs: Any) -> int:  # noqa: ANN401
            names = ("host", "look_up", "again", "dry_run", "show_unparsed", "as_json")
            options = {name: kwargs.pop(name) for name in names if name in kwargs}
            gathered = ImportOptions(settings=settings, **options)
            return command(gathered, *args, **kwargs)

        return run

    return add


def _again(text: str | None) -> Callable[[Callable[..., int]], Callable[..., int]]:
    if text is None:
        return lambda command: command
    return click.option("--again", is_flag=True, help=text)


def _checked(
    context: click.Context,  # noqa: ARG001 - click's
    option: click.Parameter,  # noqa: ARG001
    host: str | None,
) -> str | None:
    try:
        return None if host is None else host_name(as_stored(host))
    except ValueError as exc:
        raise click.BadParameter(str(exc), param_hint="--host") from exc
