"""Options that say which IMAP folder is read, and by which password."""

from __future__ import annotations

import functools
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from f2b_enrich.config_files import DEFAULT_PATH
from f2b_enrich.credentials import read_secret
from f2b_enrich.importing.imap_place import read_place

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic import SecretStr

    from f2b_enrich.importing.imap_place import ImapPlace

SECRET = "imap-password"  # noqa: S105 - its name
_VARIABLE = "F2B_ENRICH_IMAP_PASSWORD"

USUAL_FILE = DEFAULT_PATH.with_name(SECRET)
"""Where the password is, unless it is told otherwise."""

_file = click.Path(dir_okay=False, readable=False, path_type=Path)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImapFrom:
    """A folder, and how its server is asked for it."""

    place: ImapPlace
    password: SecretStr
    ca_file: Path | None


def imap_options(command: Callable[..., int]) -> Callable[..., int]:
    """Add `--imap` and what belongs to it; the command gets them as `imap`."""

    @click.option(
        "--imap",
        "url",
        metavar="URL",
        help="A folder of an IMAP server, such as imaps://user@mail.example/INBOX; "
        "with imap:// it turns to TLS by STARTTLS, but for this machine itself.",
    )
    @click.option(
        "--password-file",
        type=_file,
        help="A file of root's that holds the password. Default: the credential "
        f"{SECRET}, {_VARIABLE} in the environment, or {USUAL_FILE}.",
    )
    @click.option(
        "--ca-file", type=_file, help="Certificates to trust instead of the system's."
    )
    @click.option(
        "--plain",
        is_flag=True,
        help="Send the password in clear where the URL is an imap:// one.",
    )
    @functools.wraps(command)
    def run(
        *args: Any,  # noqa: ANN401
        url: str | None,
        password_file: Path | None,
        ca_file: Path | None,
        plain: bool,
        **kwargs: Any,  # noqa: ANN401
    ) -> int:
        imap = None
        if url is not None:
            imap = _imap(url, password_file, ca_file, plain=plain)
        elif password_file is not None or ca_file is not None or plain:
            raise click.UsageError(
                "--password-file, --ca-file and --plain belong to --imap"
            )
        return command(*args, imap=imap, **kwargs)

    return run


def _imap(
    url: str, password_file: Path | None, ca_file: Path | None, *, plain: bool
) -> ImapFrom:
    try:
        place = read_place(url, allow_plain=plain)
    except ValueError as exc:
        raise click.BadParameter(str(exc), param_hint="--imap") from exc
    password = read_secret(SECRET, password_file, os.environ, USUAL_FILE)
    if password is None:
        raise click.UsageError(
            f"--imap needs a password: {USUAL_FILE}, --password-file FILE, "
            f"or {_VARIABLE}"
        )
    return ImapFrom(place=place, password=password, ca_file=ca_file)
