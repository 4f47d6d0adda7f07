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
            found[name] = _secret(file, name, environ)
        except ConfigError as exc:
            problems += exc.problems
    if problems:
        raise ConfigError(tuple(problems))
    return Secrets(
        ipinfo_token=found["ipinfo-token"], smtp_password=found["smtp-password"]
    )


def _secret(
    file: Path | None, name: str, environ: Mapping[str, str]
) -> SecretStr | None:
    text = ""
    credentials = environ.get("CREDENTIALS_DIRECTORY")
    if file is not None:
        text = _read_private(file)
    elif credentials and (Path(credentials) / name).exists():
        text = _read_private(Path(credentials) / name)
    else:
        text = environ.get("F2B_ENRICH_" + name.upper().replace("-", "_"), "")
    # A token that ends in a line break would end up as a broken HTTP header.
    return SecretStr(text.strip()) if text.strip() else None


def _read_private(file: Path) -> str:
    try:
        if os.stat(file).st_mode & 0o007:  # noqa: PTH116 - Path.stat reads no better
            raise ConfigError((f"{file}: everyone may read it, chmod o= it",))
        return file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        reason = exc.strerror if isinstance(exc, OSError) else "is not UTF-8 text"
        raise ConfigError((f"{file}: {reason}",)) from exc
