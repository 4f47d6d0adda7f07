"""The request that the client sends: an environment block (docs/reference/wire.md).

`KEY=value` fields, each ended by NUL, and an empty field at the end. A file in the
spool holds the same bytes.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from f2b_enrich.errors import WireError
from f2b_enrich.inert import without_nul
from f2b_enrich.model import Event, EventKind

if TYPE_CHECKING:
    from collections.abc import Mapping

VERSION = "1"
MAX_REQUEST = 4 * 1024 * 1024
MAX_VALUE = 1024
"""The longest value, in bytes, of any key but MATCHES, DEST and SENDER."""

END = b"\0\0"
_LATEST = 253402300799
"""9999-12-31T23:59:59Z, the last second that every tool here can write."""

_LARGEST = 10**12
"""More seconds or failures than there are; sums of it still fit into SQLite."""
_SHORT = (
    *("V", "EVENT", "JAIL", "IP", "HOST"),
    *("TIME", "AT", "BANTIME", "FAILURES", "BANCOUNT"),
)
_LIMITS = dict.fromkeys(_SHORT, MAX_VALUE) | {
    "MATCHES": MAX_REQUEST,
    "DEST": 64 * 1024,
    "SENDER": 64 * 1024,
}
_KNOWN = {key.encode(): (key, limit) for key, limit in _LIMITS.items()}
_UNRESOLVED_TAG = re.compile(r"<[A-Za-z][A-Za-z0-9_.-]*>")
_CAPTURE = re.compile(r"F_[A-Z0-9_]{1,62}")
_MAX_CAPTURES = 32


def encode(fields: Mapping[str, str]) -> bytes:
    """Write the request that holds these fields.

    Raises:
        WireError: a key or value holds what the form cannot carry.
    """
    for key, value in fields.items():
        if "\0" in value or "\0" in key or "=" in key or not key:
            raise WireError(f"field {key!r} holds a NUL, or '=' in its key")
    block = "".join(f"{key}={value}\0" for key, value in fields.items())
    try:
        return block.encode("utf-8", "surrogateescape") + b"\0"
    except UnicodeEncodeError as exc:
        raise WireError(f"a field holds {exc.object[exc.start]!a}, no text") from exc


def decode(request: bytes, *, received_at: datetime) -> Event:
    """Read a request; `received_at` stands in where the sender gave no clock.

    Raises:
        WireError: naming the field that is missing, doubled or wrong.
    """
    fields = _split(request)
    if fields.get("V") != VERSION:
        given = f"{fields['V']!r:.40}" if "V" in fields else "missing"
        raise WireError(f"V is {given}, this daemon speaks {VERSION}")
    try:
        kind = EventKind(_required(fields, "EVENT"))
    except ValueError:
        raise WireError(
            f"EVENT is {fields['EVENT']!r:.60}, expected ban, unban or prolong"
        ) from None
    bantime = _number(fields, "BANTIME", least=-1)
    return Event(
        kind=kind,
        jail=_required(fields, "JAIL"),
        ip=_required(fields, "IP"),
        failed_at=_unix_time(fields, "TIME"),
        at=_clock(fields, received_at),
        host=_optional(fields, "HOST"),
        bantime_seconds=bantime,
        failures=_number(fields, "FAILURES", least=0) or 0,
        ban_count=_number(fields, "BANCOUNT", least=0) or 1,
        lines=_lines(fields.get("MATCHES", "")),
        dest=_optional(fields, "DEST"),
        sender=_optional(fields, "SENDER"),
        captures=_captures(fields),
    )


def _split(request: bytes) -> dict[str, str]:
    if len(request) > MAX_REQUEST:
        raise WireError(f"request is {len(request)} bytes, the limit is {MAX_REQUEST}")
    if not request.endswith(END):
        raise WireError("request was cut off: it does not end in an empty field")
    fields: dict[str, str] = {}
    for number, field in enumerate(request[: -len(END)].split(b"\0"), start=1):
        name, equals, value = field.partition(b"=")
        if not equals or not name:
            raise WireError(f"field {number} is {field[:40]!r}, expected KEY=value")
        key, limit = _KNOWN.get(name) or (_capture(name), MAX_REQUEST)
        if not key:
            continue
        if key in fields:
            raise WireError(f"{key} is given twice")
        if len(value) > limit:
            raise WireError(f"{key} is {len(value)} bytes, the limit is {limit}")
        fields[key] = value.decode("utf-8", "replace")
    return fields


def _capture(name: bytes) -> str:
    """Give the key of one of fail2ban's captures, empty for any other."""
    key = name.decode("utf-8", "replace")
    return key if _CAPTURE.fullmatch(key) else ""


def _required(fields: Mapping[str, str], key: str) -> str:
    value = fields.get(key, "")
    if not value:
        raise WireError(f"{key} is missing")
    return value


def _optional(fields: Mapping[str, str], key: str) -> str | None:
    """Give a text field; empty, or a tag that fail2ban does not know, is None."""
    value = fields.get(key)
    if not value:
        return None
    value = value.strip()
    if not value or (value[0] == "<" and _UNRESOLVED_TAG.fullmatch(value)):
        return None
    return value


def _number(fields: Mapping[str, str], key: str, *, least: int) -> int | None:
    text = _optional(fields, key)
    if text is None:
        return None
    try:
        number = int(text) if text.isdecimal() else int(float(text))
    except (ValueError, OverflowError):
        raise WireError(f"{key} is {text!r:.60}, expected a whole number") from None
    if not least <= number <= _LARGEST:
        raise WireError(f"{key} is {text:.60}, expected {least} to {_LARGEST}")
    return number


def _unix_time(fields: Mapping[str, str], key: str) -> float:
    text = _required(fields, key)
    try:
        seconds = float(text)
    except ValueError:
        raise WireError(f"{key} is {text!r:.60}, expected Unix time") from None
    if not math.isfinite(seconds) or not 0 <= seconds <= _LATEST:
        raise WireError(f"{key} is {text:.60}, expected Unix time from 0 to {_LATEST}")
    return seconds


def _clock(fields: Mapping[str, str], received_at: datetime) -> datetime:
    if _optional(fields, "AT") is None:
        return received_at
    return datetime.fromtimestamp(_unix_time(fields, "AT"), tz=UTC)


def _lines(matches: str) -> tuple[str, ...]:
    return tuple(without_nul(matches).split("\n")) if matches else ()


def _captures(fields: Mapping[str, str]) -> dict[str, str]:
    names = sorted(key for key in fields if key[:2] == "F_" and fields[key])
    return {
        key.removeprefix("F_").lower(): fields[key][:MAX_VALUE]
        for key in names[:_MAX_CAPTURES]
    }
