"""The files of the configuration: one of TOML, drop-ins beside it, what is wrong."""

from __future__ import annotations

import os
import tomllib
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from f2b_enrich.config import Settings
from f2b_enrich.config_types import TOGETHER
from f2b_enrich.errors import ConfigError
from f2b_enrich.toml_lists import problems_of

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_PATH = Path("/etc/f2b-enrich/config.toml")


def load(path: Path, *, must_exist: bool = True) -> Settings:
    """Read `path` and, in order of their names, `config.d/*.toml` beside it.

    Raises:
        ConfigError: with all problems found, each with its file and key.
    """
    merged: dict[str, Any] = {}
    problems: list[str] = []
    try:
        files = _files(path, must_exist=must_exist)
    except OSError as exc:
        raise ConfigError((f"{exc.filename}: {exc.strerror}",)) from exc
    for file in files:
        try:
            values = tomllib.loads(file.read_text("utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as exc:
            reason = exc.strerror if isinstance(exc, OSError) else exc
            problems.append(f"{file}: {reason}")
            continue
        problems += _problems(values, str(file))
        _merge(merged, values)
    if problems:
        raise ConfigError(tuple(problems))
    try:
        return Settings.model_validate(merged)
    except ValidationError as exc:  # each file is sound, together they are not
        raise ConfigError(tuple(problems_of(exc, str(path)))) from exc


def _files(path: Path, *, must_exist: bool) -> list[Path]:
    files = [] if not must_exist and _is_missing(path) else [path]
    folder = path.parent / "config.d"
    if not _is_missing(folder):  # Path.glob would pass over one that is not readable
        names = sorted(os.listdir(folder))  # noqa: PTH208
        files += [folder / name for name in names if fnmatch(name, "[!.]*.toml")]
    return files


def _is_missing(path: Path) -> bool:
    try:
        path.stat()
    except FileNotFoundError:
        return True
    except OSError:
        return False  # reading it will tell why
    return False


def _problems(values: Mapping[str, Any], file: str) -> list[str]:
    try:
        Settings.model_validate(values)
    except ValidationError as exc:
        return list(problems_of(exc, file, leave_out=TOGETHER))
    return []


def _merge(into: dict[str, Any], values: Mapping[str, Any]) -> None:
    for key, value in values.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            _merge(into[key], value)
        else:
            into[key] = value
