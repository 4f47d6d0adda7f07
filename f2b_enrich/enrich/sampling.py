"""The first records of a database, found with look-ups alone."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import maxminddb

_MOST_STEPS = 4096
"""Look-ups in all: before the first record a tree has at most 128 gaps, between two
twice as many, and most have none."""


def first_records(reader: maxminddb.Reader, count: int) -> list[object]:
    """Read up to `count` records, those of the lowest addresses.

    Address by address, each behind the network of the last one, because the reader's
    own iterator has no bound where a damaged tree leads back into itself. A look-up
    goes down no more levels than an address has bits.

    Raises:
        Exception: whatever the reader makes of a damaged file.
    """
    version = reader.metadata().ip_version
    address = ipaddress.IPv6Address if version == 6 else ipaddress.IPv4Address
    bits = 128 if version == 6 else 32
    found: list[object] = []
    start = 0
    for _ in range(_MOST_STEPS):
        if len(found) == count or start >> bits:
            break
        record, length = reader.get_with_prefix_len(address(start))
        if record is not None:
            found.append(record)
        width = bits - length
        start = ((start >> width) + 1) << width
    return found
