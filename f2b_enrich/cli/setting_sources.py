"""Where settings and secrets come from; never what a secret is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from f2b_enrich.credentials import load_secrets
from f2b_enrich.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

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
    """Find out about the token; a credential of the unit is the daemon's to see."""
    smtp = settings.mail.smtp.model_copy(update={"password_file": None})
    mail = settings.mail.model_copy(update={"smtp": smtp})
    alone = settings.model_copy(update={"mail": mail})
    file = settings.ipinfo.token_file
    return _state("ipinfo_token", alone, file, environ)


def smtp_password(settings: Settings, environ: Mapping[str, str]) -> SecretState:
    """Find out about the password of the mail server."""
    ipinfo = settings.ipinfo.model_copy(update={"token_file": None})
    alone = settings.model_copy(update={"ipinfo": ipinfo})
    file = settings.mail.smtp.password_file
    return _state("smtp_password", alone, file, environ)


def _state(
    name: str, alone: Settings, file: Path | None, environ: Mapping[str, str]
) -> SecretState:
    """Add one place after the other, for only loading knows which comes first."""
    credentials = {key: environ[key] for key in (CREDENTIALS,) if key in environ}
    places: tuple[tuple[str, Mapping[str, str]], ...] = (
        (str(file), {}),
        ("a systemd credential", credentials),
        ("the environment", environ),
    )
    for origin, known in places:
        try:
            found = getattr(load_secrets(alone, known), name)
        except ConfigError as exc:
            return SecretState(name=name, problem=str(exc))
        if found is not None:
            return SecretState(name=name, is_set=True, origin=origin)
    return SecretState(name=name)
