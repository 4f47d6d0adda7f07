"""Databases for tests, made of records for documentation addresses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from mmdb_writer import MMDBWriter
from netaddr import IPSet

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

LITE_TYPE = "ipinfo bundle_location_lite.mmdb"

GERMAN: dict[str, object] = {
    "country_code": "DE",
    "country": "Germany",
    "continent": "Europe",
    "continent_code": "EU",
    "asn": "AS64496",
    "as_name": "Example Hosting GmbH",
    "as_domain": "hosting.example",
}
"""A record as IPinfo Lite has most of them."""

WITHOUT_NETWORK: dict[str, object] = {
    "country_code": "NL",
    "country": "The Netherlands",
    "continent": "Europe",
    "continent_code": "EU",
}
"""A record as IPinfo Lite has one of five: nothing about the network."""

RECORDS: Mapping[str, Mapping[str, object]] = {
    "192.0.2.0/24": GERMAN,
    "198.51.100.0/25": WITHOUT_NETWORK,
    "2001:db8::/32": GERMAN,
}
"""203.0.113.0/24 has no record."""


def write_lite(
    path: Path,
    records: Mapping[str, Mapping[str, object]] = RECORDS,
    *,
    database_type: str = LITE_TYPE,
    built_at: int | None = None,
    ip_version: Literal[4, 6] = 6,
) -> Path:
    """Write a database of `{network: record}`, by default shaped as IPinfo Lite."""
    writer = MMDBWriter(
        ip_version=ip_version,
        database_type=database_type,
        languages=["en"],
        ipv4_compatible=ip_version == 6,
        float_type="f64",
    )
    for network, record in records.items():
        writer.insert_network(IPSet([network]), dict(record))
    writer.to_db_file(str(path))
    if built_at is not None:
        _set_build_epoch(path, built_at)
    return path


def _set_build_epoch(path: Path, built_at: int) -> None:
    """Overwrite the time that the writer takes from the clock."""
    name = b"build_epoch"
    content = bytearray(path.read_bytes())
    # Behind the key: a control byte for an unsigned integer and its size in bytes.
    start = content.rindex(name) + len(name)
    control = content[start]
    size = control & 0x1F
    value = start + (2 if control >> 5 == 0 else 1)
    content[value : value + size] = built_at.to_bytes(size, "big")
    path.write_bytes(bytes(content))
