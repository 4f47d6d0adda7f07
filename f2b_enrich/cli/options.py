"""Options that every command takes, and how a command gets the configuration."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

import click

from f2b_enrich.config import Settings, StoreSettings
from f2b_enrich.config_files import DEFAULT_PATH, load

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
R = TypeVar("R")

# Whether it can be read shows when it is: an error of one line, not of usage.
_file = click.Path(dir_okay=False, readable=False, path_type=Path)

config_option = click.option(
    "--config",
    "config_path",
    type=_file,
    default=DEFAULT_PATH,
    show_default=True,
    help="Configuration file; config.d/*.toml beside it are read too.",
)
db_option = click.option(
    "--db",
    "db_path",
    type=_file,
    help="Store to use instead of the configured one.",
)


def with_settings(command: Callable[Concatenate[Settings, P], R]) -> Callable[..., R]:
    """Add `--config` and `--db`, and pass the settings as the first argument."""

    @config_option
    @db_option
    @functools.wraps(command)
    def run(
        *args: Any,  # noqa: ANN401
        config_path: Path,
        db_path: Path | None,
        **kwargs: Any,  # noqa: ANN401
    ) -> R:
        return command(read_settings(config_path, db_path), *args, **kwargs)

    return run


def read_settings(config_path: Path, db_path: Path | None) -> Settings:
    """Read the configuration; only the default file may be missing.

    Raises:
        ConfigError: naming every problem.
    """
    settings = load(config_path, must_exist=config_path != DEFAULT_PATH)
    if db_path is None:
        return settings
    return settings.model_copy(update={"store": StoreSettings(path=db_path)})
