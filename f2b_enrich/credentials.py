"""The secrets: from files of their owner, from systemd, or from the environment."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, SecretStr

from f2b_enrich.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from f2b_enrich.config import Settings


class Secrets(BaseModel):
    """What appears in no log, error, URL or command line."""

    model_config = ConfigDict(frozen=True)

    ipinfo_token: SecretStr | None = None
    smtp_password: SecretStr | None = None


def environment_of_others(environ: Mapping[str, str]) -> dict[str, str]:
    """Leave out what holds our secrets, or leads to them."""
    return {
        name: value
        for name, value in environ.items()
        if not name.startswith("F2B_ENRICH_") and name != "CREDENTIALS_DIRECTORY"
    }


def load_secrets(settings: Settings, environ: Mapping[str, str]) -> Secrets:
    """Read the secrets from a named file, a systemd credential or the environment.

    Raises:
        ConfigError: a named file cannot be read, or others than its owner's group may
            read it.
    """
    files = {
        "ipinfo-token": settings.ipinfo.token_file,
        "smtp-password": settings.mail.smtp.password_file,
    }
    found: dict[str, SecretStr | None] = {}
    problems: list[str] = []
    for name, file in files.items():
        try:
            found[name] = read_secret(name, file, environ)
        except ConfigError as exc:
            problems += exc.problems
    if problems:
        raise ConfigError(tuple(problems))
    return Secrets(
        ipinfo_token=found["ipinfo-token"], smtp_password=found["smtp-password"]
    )


def read_secret(
    name: str, file: Path | None, environ: Mapping[str, str], usual: Path | None = None
) -> SecretStr | None:
    """Read one secret; None when there is none.

    The `usual` file is read where nothing else tells it, if it is there.

    Raises:
        ConfigError: its file cannot be read, or others than its owner's group may
            read it.
    """
    text: str | None = None
    credentials = environ.get("CREDENTIALS_DIRECTORY")
    if file is not None:
        text = _read_private(file)
    elif credentials:
        text = _read_if_there(Path(credentials) / name)
    # Where systemd has no file it hands over a line break in its place.
    if text is None or (file is None and not text.strip()):
        text = environ.get("F2B_ENRICH_" + name.upper().replace("-", "_"), "")
    if not text.strip() and file is None and usual is not None:
        text = _read_if_there(usual) or ""
    # A token that ends in a line break would end up as a broken HTTP header.
    return SecretStr(text.strip()) if text.strip() else None


def _read_if_there(file: Path) -> str | None:
    """Read what systemd or the administrator may have put there."""
    try:
        os.stat(file)  # noqa: PTH116 - as below
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError:
        pass  # reading it will tell why
    return _read_private(file)


def _read_private(file: Path) -> str:
    try:
        if os.stat(file).st_mode & 0o007:  # noqa: PTH116 - Path.stat reads no better
            raise ConfigError((f"{file}: everyone may read it, chmod o= it",))
        return file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        reason = exc.strerror if isinstance(exc, OSError) else "is not UTF-8 text"
        raise ConfigError((f"{file}: {reason}",)) from exc
