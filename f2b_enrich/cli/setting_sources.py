"""Where settings and secrets come from; never what a secret is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from f2b_enrich.credentials import read_secret
from f2b_enrich.enrich.fields import header_text
from f2b_enrich.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from pydantic import SecretStr

    from f2b_enrich.config import Settings

CREDENTIALS = "CREDENTIALS_DIRECTORY"


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretState:
    """Whether a secret is set, from where, or why that cannot be told."""

    name: str
    is_set: bool = False
    origin: str | None = None
    problem: str | None = None

    def __str__(self) -> str:
        """Say it in a few words."""
        if self.problem is not None:
            return self.problem
        return f"set, from {self.origin}" if self.is_set else "not set"


def config_files(path: Path) -> tuple[Path, ...]:
    """Name the files that are read, in their order."""
    drop_ins = tuple(sorted((path.parent / "config.d").glob("[!.]*.toml")))
    return ((path,) if path.exists() else ()) + drop_ins


def told(path: Path) -> str:
    """Say in a few words which files the configuration is."""
    files = config_files(path)
    main = str(path) if path in files else f"no {path}, defaults hold"
    drop_ins = len(files) - (path in files)
    return f"{main} and {drop_ins} in config.d" if drop_ins else main


def ipinfo_token(settings: Settings, environ: Mapping[str, str]) -> SecretState:
    """Find out about the token, which the daemon must be able to send.

    A credential of the unit is the daemon's to see.
    """
    file = settings.ipinfo.token_file
    return _state("ipinfo_token", file, environ, usable=header_text)


def smtp_password(settings: Settings, environ: Mapping[str, str]) -> SecretState:
    """Find out about the password of the mail server."""
    return _state("smtp_password", settings.mail.smtp.password_file, environ)


def _state(
    name: str,
    file: Path | None,
    environ: Mapping[str, str],
    *,
    usable: Callable[[SecretStr], object] = lambda _: None,
) -> SecretState:
    """Add one place after the other, for only reading knows which comes first."""
    credentials = {key: environ[key] for key in (CREDENTIALS,) if key in environ}
    places: tuple[tuple[str, Mapping[str, str]], ...] = (
        (str(file), {}),
        ("a systemd credential", credentials),
        ("the environment", environ),
    )
    for origin, known in places:
        try:
            found = read_secret(name.replace("_", "-"), file, known)
        except ConfigError as exc:
            return SecretState(name=name, problem=str(exc))
        if found is None:
            continue
        try:
            usable(found)
        except ConfigError as exc:
            return SecretState(
                name=name, is_set=True, origin=origin, problem=f"{exc}, from {origin}"
            )
        return SecretState(name=name, is_set=True, origin=origin)
    return SecretState(name=name)
