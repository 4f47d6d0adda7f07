"""A local database in MaxMind's file format, whoever made it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import maxminddb

from f2b_enrich.enrich import flat_mmdb, nested_mmdb
from f2b_enrich.enrich.provider import SourceMissingError
from f2b_enrich.enrich.sampling import first_records
from f2b_enrich.errors import GeoError, ProviderError
from f2b_enrich.inert import cut, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from ipaddress import IPv4Address, IPv6Address
    from pathlib import Path

    from f2b_enrich.enrich.provider import Facts

LITE = "IPinfo Lite"

_KINDS = {
    "bundle_location_lite": LITE,
    "bundle_location_core": "IPinfo Core",
    "bundle_location_plus": "IPinfo Plus",
    "standard_location": "IPinfo location",
    "country_free_country_asn": "IPinfo country and ASN",
    "standard_asn": "IPinfo ASN",
    "generic_asn_free": "IPinfo ASN",
    "standard_privacy": "IPinfo privacy",
}
_SAMPLE = 50
"""Records read at open to learn the schema; a record may lack keys, 50 do not."""

_TELLING = (
    "country_code",
    "city",
    "latitude",
    "asn",
    "as_country_code",
    "is_hosting",
    "is_vpn",
    "is_tor",
    "is_proxy",
    "abuse_contact",
)
"""Facts of which a database gives at least one, if it is understood at all."""

_DAMAGE = (
    maxminddb.InvalidDatabaseError,
    ValueError,
    TypeError,
    OverflowError,
    RecursionError,
    OSError,
)
"""What the reader raises where bytes are wrong, and what they make others raise."""

_CHECK_EVERY = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Database:
    """An open database that is understood."""

    path: Path
    kind: str
    built_at: datetime
    nodes: int
    ip_version: int
    keys: tuple[str, ...]
    reader: maxminddb.Reader

    @property
    def name(self) -> str:
        """The source as people read it, with the date of its facts."""
        return f"{self.kind} database of {self.built_at:%Y-%m-%d}"

    def facts(self, ip: IPv4Address | IPv6Address) -> Facts | None:
        """Read an address's record; None when there is none.

        Raises:
            GeoError: the file is damaged.
        """
        try:
            if ip.version > self.ip_version:  # the reader has an error for this
                return None
            record = self.reader.get(ip)
            return _facts(record) if isinstance(record, dict) else None
        except _DAMAGE as exc:
            raise _damaged(self.path, exc) from exc

    def close(self) -> None:
        """Let go of the file."""
        self.reader.close()


def open_database(path: Path) -> Database:
    """Open a database and make sure that its records are understood.

    Raises:
        FileNotFoundError: there is no such file.
        GeoError: it cannot be read, is no database or has another schema.
    """
    try:
        # maxminddb's part in C ends the process where bytes are wrong (3.2.0, in
        # look-ups too), and mapped memory does where the file is cut off (SIGBUS).
        # This reader takes 70 us for a look-up instead of 3.
        reader = maxminddb.open_database(path, maxminddb.MODE_FILE)
    except FileNotFoundError:
        raise
    except _DAMAGE as exc:
        if isinstance(exc, OSError) and exc.filename is not None:
            raise GeoError(f"{path}: {exc.strerror}") from exc
        raise GeoError(f"{path}: not a database: {_told(exc)}") from exc
    try:
        return _understood(path, reader)
    except BaseException:
        reader.close()
        raise


def _understood(path: Path, reader: maxminddb.Reader) -> Database:
    try:
        metadata = reader.metadata()
        records = first_records(reader, _SAMPLE)
        built_at = datetime.fromtimestamp(metadata.build_epoch, UTC)
    except _DAMAGE as exc:
        raise _damaged(path, exc) from exc
    if not records:
        raise GeoError(f"{path}: a database without a single record")
    made_as = str(metadata.database_type)
    kind = cut(printable(made_as), 80)
    sample = [record for record in records if isinstance(record, dict)]
    if not any(_says_something(record) for record in sample):
        raise GeoError(
            f"{path}: {kind}: records of a kind that is not understood, "
            "those of IPinfo, MaxMind and DB-IP are"
        )
    return Database(
        path=path,
        kind=_kind(made_as, default=kind),
        built_at=built_at,
        nodes=metadata.node_count,
        ip_version=metadata.ip_version,
        keys=tuple(sorted({str(key) for record in sample for key in record})),
        reader=reader,
    )


def _damaged(path: Path, exc: Exception) -> GeoError:
    return GeoError(f"{path}: damaged database: {_told(exc)}")


def _told(exc: Exception) -> str:
    return cut(printable(str(exc)), 200)


def _says_something(record: Mapping[str, object]) -> bool:
    try:
        facts = _facts(record)
    except _DAMAGE:  # such as what no JSON can hold
        return False
    return nested_mmdb.says_little(record) or any(
        getattr(facts, name) is not None for name in _TELLING
    )


def _kind(database_type: str, *, default: str) -> str:
    for part, kind in _KINDS.items():
        if part in database_type:
            return kind
    return default


def _facts(record: Mapping[str, object]) -> Facts:
    if nested_mmdb.is_nested(record):
        return nested_mmdb.facts_from(record)
    return flat_mmdb.facts_from(record)


class LocalDatabase:
    """The provider over a database file, which may be replaced at any time.

    To be replaced by a rename: whoever writes into it in place makes look-ups fail
    meanwhile.
    """

    def __init__(self, path: Path, *, now: Callable[[], datetime]) -> None:
        self._path = path
        self._now = now
        self._checked_at: datetime | None = None
        self._seen: tuple[int, int] | None = None
        self._database: Database | None = None
        self._problem: str | None = None

    @property
    def name(self) -> str:
        """The database as people read it, once it was opened."""
        return self._database.name if self._database else "local database"

    @property
    def is_there(self) -> bool:
        """Tell whether there is a file, whatever is in it."""
        return self._path.exists()

    async def look_up(self, ip: IPv4Address | IPv6Address) -> Facts | None:
        """Read an address's record from the file as it is now."""
        try:
            return self._current().facts(ip)
        except GeoError as exc:
            raise ProviderError(str(exc), retryable=True) from exc

    async def aclose(self) -> None:
        """Let go of the file."""
        self._forget()

    def _current(self) -> Database:
        now = self._now()
        # A clock set back must not stop the checks.
        fresh = (
            self._checked_at is not None
            and self._checked_at <= now < self._checked_at + _CHECK_EVERY
        )
        if self._database is not None and fresh:
            return self._database
        if self._problem is not None and fresh:
            raise GeoError(self._problem)
        self._checked_at, self._problem = now, None
        try:
            return self._reopened()
        except GeoError as exc:
            self._problem = str(exc)
            raise

    def _reopened(self) -> Database:
        try:
            status = self._path.stat()
            seen = (status.st_ino, status.st_mtime_ns)
            if self._database is None or seen != self._seen:
                self._forget()
                self._database = open_database(self._path)
                self._seen = seen
        except FileNotFoundError:
            self._forget()
            raise SourceMissingError(
                f"{self._path}: no database there, `f2b-enrich geo update` gets one"
            ) from None
        except OSError as exc:
            raise GeoError(f"{self._path}: {exc.strerror}") from exc
        return self._database

    def _forget(self) -> None:
        if self._database is not None:
            self._database.close()
            self._database = None
