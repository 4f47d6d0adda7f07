"""Records parted by address, and so small that a million of them wait in memory."""

from __future__ import annotations

import pickle
from collections import Counter
from typing import TYPE_CHECKING
from zlib import crc32

from f2b_enrich.joining.sightings import Sighting
from f2b_enrich.store.intake import Brought

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any, TypeAlias

    from f2b_enrich.joining.plain_lines import PlainLine

    Unpacked: TypeAlias = tuple[Any, ...]
    Key: TypeAlias = tuple[str, str]
    """A host and an address."""

PARTS = 16
"""All records of an address are in one of so many parts, unpacked one by one."""

_PROTOCOL = 5


def packed(
    records: Iterable[Unpacked], lines: Mapping[Key, list[PlainLine]]
) -> dict[int, bytes]:
    """Part records by their address, the second in each, the same in every process."""
    parts: dict[int, tuple[list[Unpacked], list[tuple[Key, list[PlainLine]]]]] = {}
    for record in records:
        parts.setdefault(_part_of(record[1]), ([], []))[0].append(record)
    for item in lines.items():
        parts.setdefault(_part_of(item[0][1]), ([], []))[1].append(item)
    return {part: pickle.dumps(some, _PROTOCOL) for part, some in parts.items()}


def _part_of(ip: str) -> int:
    return crc32(ip.encode()) % PARTS


def packed_counts(counts: Mapping[tuple[Any, ...], int]) -> bytes:
    """Make counts small, some six times."""
    return pickle.dumps(dict(counts), _PROTOCOL)


def unpacked_counts(packed: Iterable[bytes]) -> Counter[Any]:
    """Add up what `packed_counts` made."""
    counts: Counter[Any] = Counter()
    for each in packed:
        counts.update(pickle.loads(each))  # noqa: S301 - what `packed_counts` made
    return counts


def unpacked(parts: Iterable[bytes]) -> dict[Key, list[Brought | PlainLine]]:
    """Give records as the store takes them in, by host and address.

    They come from this program's own processes only.
    """
    brought: dict[Key, list[Brought | PlainLine]] = {}
    for part in parts:
        records, lines = pickle.loads(part)  # noqa: S301 - what `packed` made
        for host, ip, *rest in records:
            brought.setdefault((host, ip), []).append(_brought(*rest))
        for key, of_address in lines:
            brought.setdefault(key, []).extend(of_address)
    return brought


def _brought(*packed: Any) -> Brought:  # noqa: ANN401 - what a portion was given
    *sighting, reference, failures, ban_count, lines, captures, ban_id = packed
    return Brought(
        sighting=Sighting(*sighting),
        reference=reference,
        failures=failures,
        ban_count=ban_count,
        lines=lines,
        captures=captures,
        ban_id=ban_id,
    )
