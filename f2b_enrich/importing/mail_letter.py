"""One mail as far as old reports need it, whichever parser took it apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MAX_BYTES = 512 * 1024
"""What is read of a mail: what fail2ban says comes first, a copy soon after."""

MOST_DEEP = 4
"""Mails in mails: a bounce, its own bounce, and what lies in it."""

MOST_FIELDS = 64
"""Fields of one name, such as `Received`."""

WANTED = frozenset(
    {
        *(b"subject", b"date", b"from", b"received", b"message-id", b"return-path"),
        *(b"content-type", b"content-transfer-encoding", b"x-failed-recipients"),
        *(b"x-f2b-host", b"x-f2b-jail", b"x-f2b-address", b"x-f2b-ban"),
        *(b"x-f2b-digest", b"x-f2b-flood"),
    }
)

RAW = frozenset({b"", b"7bit", b"8bit", b"binary"})
"""Transfer encodings that leave a text as it is."""

WHOLE = frozenset({b"message/rfc822", b"message/global", b"message/global-headers"})
"""What the parser takes for a mail in a mail."""

HEADS = b"text/rfc822-headers"
REPORT = b"message/delivery-status"

Fields: TypeAlias = "Mapping[bytes, tuple[bytes, ...]]"
"""Values by name in lower case, without folds, from the top of the head downwards."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """The fields of one mail's head, its first plain text, and the mail it encloses.

    `reporter` is the server that a report of RFC 3464 is from; None without a report.
    """

    fields: Fields
    text: bytes = b""
    enclosed: Letter | None = None
    reporter: bytes | None = None

    def first(self, name: bytes) -> bytes:
        """Give the value of the topmost field of this name; nothing without one."""
        values = self.fields.get(name)
        return values[0] if values else b""


def gathered(pairs: Iterable[tuple[bytes, bytes]]) -> Fields:
    """Keep the fields that are wanted, and not too many of any."""
    found: dict[bytes, tuple[bytes, ...]] = {}
    for name, value in pairs:
        key = name.lower()
        if key not in WANTED:
            continue
        if key not in found:
            found[key] = (b" ".join(value.split()),)
        elif len(found[key]) < MOST_FIELDS:
            found[key] = (*found[key], b" ".join(value.split()))
    return found


def reporting_server(block: bytes) -> bytes:
    """Read `dns; mx.example` for the name in it."""
    return block.rpartition(b";")[2].strip()
