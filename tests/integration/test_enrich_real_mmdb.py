"""Real records that may be read but not handed on are read as their makers mean."""

from __future__ import annotations

import csv
import ipaddress
import json
import os
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from f2b_enrich.enrich.local import open_database
from tests.mmdb import write_lite

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ipinfo_lite.mmdb"  # the name says nothing


@pytest.fixture(scope="module")
def samples() -> Path:
    """Real records that may be read but not handed on."""
    folder = os.environ.get("F2B_ENRICH_EXTRA_DATA")
    if not folder:
        pytest.skip("F2B_ENRICH_EXTRA_DATA names no folder with real records")
    return Path(folder)


def rows(file: Path) -> Iterator[dict[str, Any]]:
    if not file.exists():
        pytest.skip(f"{file.name} is not in F2B_ENRICH_EXTRA_DATA")
    if file.suffix == ".csv":
        with file.open(encoding="utf-8", newline="") as lines:
            yield from csv.DictReader(lines)
        return
    for line in file.read_text("utf-8").splitlines():
        yield json.loads(line)


def networks(row: dict[str, Any]) -> Iterator[str]:
    if "network" in row:
        yield row["network"]
        return
    ends = (ipaddress.ip_address(row[end]) for end in ("start_ip", "end_ip"))
    yield from map(str, ipaddress.summarize_address_range(*ends))


@pytest.mark.parametrize(
    "name",
    ["ipinfo_lite_sample", "ip_country_sample", "ip_geolocation_extended_sample"],
)
@pytest.mark.parametrize("suffix", ["csv", "json"])
def test_real_records_of_ipinfo(
    path: Path, samples: Path, name: str, suffix: str
) -> None:
    records = {
        network: {key: value for key, value in row.items() if value}
        for row in rows(samples / "ipinfo" / f"{name}.{suffix}")
        for network in networks(row)
    }
    write_lite(path, records)

    with closing(open_database(path)) as database:
        for network, record in records.items():
            facts = database.facts(ipaddress.ip_network(network)[0])
            assert facts is not None
            code = record.get("country_code", record.get("country"))
            assert facts.country_code == code
            assert facts.city == record.get("city")
            assert (facts.latitude is None) == ("latitude" not in record)
            assert (facts.asn is None) == ("asn" not in record)


def test_real_networks_in_the_shape_of_maxmind(path: Path, samples: Path) -> None:
    found = list(rows(samples / "ip-data" / "banned-ip-country-asn.csv"))
    write_lite(
        path,
        {
            row["ip"]: {
                "country": {"iso_code": row["country_nro"]},
                "autonomous_system_number": int(row["asn"] or 0),
                "autonomous_system_organization": row["as_name"],
            }
            for row in found
        },
    )

    with closing(open_database(path)) as database:
        for row in found:
            facts = database.facts(ipaddress.ip_address(row["ip"]))
            assert facts is not None
            assert facts.country_code == (row["country_nro"] or None)
            assert facts.asn == (int(row["asn"]) if row["asn"] else None)
            assert facts.as_name == (row["as_name"] or None)
