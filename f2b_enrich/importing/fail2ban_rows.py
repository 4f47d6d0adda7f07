"""A row of fail2ban's database made a record."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import NamedTuple, TypeAlias

from f2b_enrich.importing.records import Record
from f2b_enrich.inert import without_nul
from f2b_enrich.model import end_of_ban

MAX_NAME = 1024
"""The longest jail or address, in bytes, as on the wire."""

MAX_CAPTURES = 32
MAX_CAPTURE = 1024
"""The longest value of one, in characters."""

_LATEST = 253402300799
"""9999-12-31T23:59:59Z, as on the wire."""

_LARGEST = 10**12
_CAPTURE = re.compile(r"[A-Za-z0-9_]{1,62}")
_NO_CAPTURES = {"matches", "failures"}
_SURROGATE = re.compile("[\ud800-\udfff]")

Value: TypeAlias = bytes | int | float | None
"""What SQLite gives, text as its bytes: they need not be UTF-8."""


class Unread(StrEnum):
    """What is wrong with a row that tells of no ban."""

    JAIL = "no name of a jail"
    IP = "no address"
    TIME = "no time"
    SIZE = "too large"


class Row(NamedTuple):
    """A row of `bans` or `bips`; None where its schema has no such column."""

    jail: Value
    ip: Value
    timeofban: Value
    bantime: Value
    bancount: Value
    data: Value


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredBan(Record):
    """A ban as fail2ban's database keeps it.

    `failed_at` is the Unix time of the last failure, exactly as it stands there: what
    the ban's id is made of. `captures` are the names and values that the filter took
    out of the lines, by name. Without `data_is_read` there are none, nor lines and
    failures: fail2ban's JSON could not be read, or is too large.
    """

    failed_at: float
    captures: tuple[tuple[str, str], ...] = ()
    data_is_read: bool = True


class Core(NamedTuple):
    """What makes a row one ban and no other."""

    jail: str
    ip: str
    failed_at: float

    def key(self) -> bytes:
        """Give what two rows of one ban have in common (see `model.ban_id`)."""
        seconds = int(round(self.failed_at))  # noqa: RUF046 - as fail2ban writes it
        return f"{self.jail}\0{self.ip}\0{seconds}".encode()


def core_of(row: Row) -> Core | Unread:
    """Read of what ban a row tells, or what is wrong with it."""
    jail = _name(row.jail)
    if jail is None:
        return Unread.JAIL
    ip = _name(row.ip)
    if ip is None:
        return Unread.IP
    failed_at = _unix_time(row.timeofban)
    return Unread.TIME if failed_at is None else Core(jail, ip, failed_at)


def ban_of(core: Core, row: Row) -> StoredBan:
    """Read what else the row tells."""
    at = datetime.fromtimestamp(core.failed_at, tz=UTC)
    bantime = _number(row.bantime, least=-1)
    # Upgrading an older schema, fail2ban writes -2, and that it was the first ban.
    ban_count = None if bantime is None else _number(row.bancount, least=1)
    told = _told(row.data)
    return StoredBan(
        kind="ban",
        ip=core.ip,
        jail=core.jail,
        at=at,
        time_source="line",
        origin="db",
        failures=_number(told.get("failures"), least=0),
        bantime_seconds=bantime,
        ban_count=ban_count,
        ends_at=end_of_ban(at, bantime),
        lines=_lines(told.get("matches")),
        failed_at=core.failed_at,
        captures=_captures(told),
        data_is_read=told is not _NOTHING,
    )


_NOTHING: dict[str, object] = {}


def _name(value: Value) -> str | None:
    if not isinstance(value, bytes) or not 0 < len(value) <= MAX_NAME:
        return None
    return without_nul(value.decode("utf-8", "replace"))


def _unix_time(value: object) -> float | None:
    if not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value) if 0 <= value <= _LATEST else None


def _number(value: object, *, least: int) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if least <= value <= _LARGEST else None


def _told(data: Value) -> dict[str, object]:
    """Read what fail2ban wrote as JSON, `_NOTHING` where that cannot be.

    It wrote in the encoding of its locale, whichever that was: bytes that are not
    UTF-8 pass through, and stand in the lines again.
    """
    if not isinstance(data, bytes):
        return _NOTHING
    try:
        told = json.loads(data.decode("utf-8", "surrogateescape"))
    except (ValueError, RecursionError):
        return _NOTHING
    return told if isinstance(told, dict) else _NOTHING


def _lines(matches: object) -> tuple[bytes, ...]:
    """Take the lines as fail2ban's tag `<matches>` has them."""
    if not isinstance(matches, list):
        return ()
    found = [text for text in map(_match, matches) if text]
    return tuple(_bytes("\n".join(found)).split(b"\n")) if found else ()


def _match(match: object) -> str:
    """Join what stands before the date, the date, and what stands behind it.

    Versions before 0.10 kept the end of the line too.
    """
    if isinstance(match, list):
        match = "".join(part for part in match if isinstance(part, str))
    return match.rstrip("\r\n") if isinstance(match, str) else ""


def _captures(told: dict[str, object]) -> tuple[tuple[str, str], ...]:
    names = sorted(
        name
        for name, value in told.items()
        if isinstance(value, str)
        and value
        and name not in _NO_CAPTURES
        and _CAPTURE.fullmatch(name)
    )
    return tuple(
        (name.lower(), _text(str(told[name])[:MAX_CAPTURE]))
        for name in names[:MAX_CAPTURES]
    )


def _bytes(text: str) -> bytes:
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # JSON's \ud800 stands for no byte
        return _SURROGATE.sub("\ufffd", text).encode()


def _text(text: str) -> str:
    return without_nul(_bytes(text).decode("utf-8", "replace"))
