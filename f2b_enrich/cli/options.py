"""Options that every command takes, and how a command gets the configuration."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

import click

from f2b_enrich.config import DEFAULT_PATH, Settings, StoreSettings, load

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
R = TypeVar("R")


def with_settings(command: Callable[Concatenate[Settings, P], R]) -> Callable[..., R]:
    """Add `--config` and `--db`, and pass the settings as the first argument."""

    @click.option(
        "--config",
        "config_path",
        type=click.Path(dir_okay=False, path_type=Path),
        default=DEFAULT_PATH,
        show_default=True,
        help="Configuration file; config.d/*.toml beside it are read too.",
    )
    @click.option(
        "--db",
        "db_path",
        type=click.Path(dir_okay=False, path_type=Path),
        help="Store to use instead of the configured one.",
    )
    @functools.wraps(command)
    def run(
        *args: P.args, config_path: Path, db_path: Path | None, **kwargs: P.kwargs
    ) -> R:
        settings = load(config_path, must_exist=config_path != DEFAULT_PATH)
        if db_path is not None:
            store = StoreSettings(path=db_path)
            settings = settings.model_copy(update={"store": store})
        return command(settings, *args, **kwargs)

    return run
