"""The local database is read as it is now, and a bad one is told as such."""

from __future__ import annotations

import ipaddress
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from f2b_enrich.enrich.local import LocalDatabase, open_database
from f2b_enrich.enrich.provider import SourceMissingError
from f2b_enrich.errors import GeoError, ProviderError
from tests.clock import Clock
from tests.mmdb import GERMAN, WITHOUT_NETWORK, write_lite

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from f2b_enrich.enrich.provider import Facts

BUILT = 1793001823  # 2026-10-26
ADDRESS = ipaddress.ip_address("192.0.2.7")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write_lite(tmp_path / "lite.mmdb", built_at=BUILT)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def database(path: Path, clock: Clock) -> AsyncIterator[LocalDatabase]:
    local = LocalDatabase(path, now=clock)
    yield local
    await local.aclose()


async def known(database: LocalDatabase, ip: str = "192.0.2.7") -> Facts:
    facts = await database.look_up(ipaddress.ip_address(ip))
    assert facts is not None
    return facts


def facts_in(path: Path, ip: str = "192.0.2.7") -> Facts:
    with closing(open_database(path)) as database:
        facts = database.facts(ipaddress.ip_address(ip))
    assert facts is not None
    return facts


def replace(path: Path, record: Mapping[str, object]) -> None:
    """Put another database in place, as an update does."""
    write_lite(path.with_name("new"), {"192.0.2.0/24": record}).replace(path)


def spoil(path: Path) -> None:
    path.write_text("not a database")


def rename(path: Path, to: Path) -> None:
    path.rename(to)


async def test_a_record_of_ipinfo_lite_is_read(database: LocalDatabase) -> None:
    facts = await known(database)

    assert (facts.country_code, facts.country) == ("DE", "Germany")
    assert (facts.asn, facts.as_name) == (64496, "Example Hosting GmbH")
    assert facts.as_domain == "hosting.example"
    assert facts.latitude is None
    assert facts.raw == GERMAN
    assert database.name == "IPinfo Lite database of 2026-10-26"


async def test_a_record_without_a_network_is_read(database: LocalDatabase) -> None:
    facts = await known(database, "198.51.100.7")

    assert (facts.country_code, facts.asn, facts.as_name) == ("NL", None, None)


async def test_ipv6_is_read(database: LocalDatabase) -> None:
    assert (await known(database, "2001:db8::7")).country_code == "DE"


async def test_an_address_without_a_record_is_not_known(
    database: LocalDatabase,
) -> None:
    assert await database.look_up(ipaddress.ip_address("203.0.113.7")) is None


async def test_a_file_put_in_place_is_read_after_a_second(
    database: LocalDatabase, path: Path, clock: Clock
) -> None:
    await known(database)
    replace(path, WITHOUT_NETWORK)

    clock.move(seconds=0.5)
    before = await known(database)
    clock.move(seconds=0.5)
    after = await known(database)

    assert (before.country_code, after.country_code) == ("DE", "NL")


async def test_a_clock_set_back_does_not_stop_the_checks(
    database: LocalDatabase, path: Path, clock: Clock
) -> None:
    await known(database)
    replace(path, WITHOUT_NETWORK)

    clock.move(hours=-1)

    assert (await known(database)).country_code == "NL"


async def test_an_unchanged_file_stays_open(
    database: LocalDatabase, clock: Clock
) -> None:
    await known(database)
    opened = database._database
    clock.move(seconds=5)
    await known(database)

    assert database._database is opened


async def test_a_missing_file_says_how_to_get_one(tmp_path: Path) -> None:
    local = LocalDatabase(tmp_path / "none.mmdb", now=Clock())

    with pytest.raises(SourceMissingError, match="geo update") as caught:
        await local.look_up(ADDRESS)

    assert caught.value.retryable
    assert local.name == "local database"


async def test_a_file_that_vanishes_and_returns_is_read_again(
    database: LocalDatabase, path: Path, clock: Clock
) -> None:
    await known(database)
    aside = path.with_name("aside")
    rename(path, aside)
    clock.move(seconds=2)
    with pytest.raises(SourceMissingError):
        await database.look_up(ADDRESS)

    rename(aside, path)

    assert (await known(database)).country_code == "DE"


async def test_a_bad_file_in_place_is_an_error_until_it_is_replaced(
    database: LocalDatabase, path: Path, clock: Clock
) -> None:
    spoil(path)
    with pytest.raises(ProviderError, match="not a database") as caught:
        await database.look_up(ADDRESS)
    assert caught.value.retryable

    replace(path, GERMAN)
    clock.move(seconds=2)

    assert (await known(database)).country_code == "DE"


async def test_a_bad_file_is_opened_once_a_second(
    database: LocalDatabase, path: Path, clock: Clock
) -> None:
    spoil(path)
    with pytest.raises(ProviderError, match="not a database") as first:
        await database.look_up(ADDRESS)
    replace(path, GERMAN)
    clock.move(seconds=0.9)
    with pytest.raises(ProviderError) as second:
        await database.look_up(ADDRESS)
    clock.move(seconds=0.1)

    assert str(first.value) == str(second.value)
    assert (await known(database)).country_code == "DE"


async def test_a_file_that_cannot_be_reached_is_told(path: Path, clock: Clock) -> None:
    local = LocalDatabase(path / "below.mmdb", now=clock)

    with pytest.raises(ProviderError, match="Not a directory"):
        await local.look_up(ADDRESS)


def test_a_file_that_is_not_there_is_another_thing_than_a_bad_one(
    tmp_path: Path,
) -> None:
    with pytest.raises(FileNotFoundError):
        open_database(tmp_path / "none.mmdb")


@pytest.mark.parametrize(
    "record",
    [
        {"country": {"names": {"en": "Germany"}}},
        {"autonomous_system_number": 0},
        {"hosting": "perhaps"},
        {"country_code": "DEU", "city": ""},
        {"name": "Example", "domain": "hosting.example"},
        {"country_code": "DE", "latitude": float("inf")},
        {"user_type": "hosting"},
    ],
)
def test_a_schema_that_is_not_understood_is_refused(
    tmp_path: Path, record: dict[str, object]
) -> None:
    path = write_lite(
        tmp_path / "other.mmdb", {"192.0.2.0/24": record}, database_type="GeoLite2\x1b"
    )

    with pytest.raises(GeoError, match="GeoLite2\u241b: records of a kind"):
        open_database(path)


def test_a_database_with_cities_gives_a_point(tmp_path: Path) -> None:
    record = {
        **GERMAN,
        "city": "Berlin",
        "region": "State of Berlin",
        "postal_code": "10178",
        "timezone": "Europe/Berlin",
        "latitude": 52.5244,
        "longitude": 13.4105,
    }

    facts = facts_in(
        write_lite(
            tmp_path / "core.mmdb",
            {"192.0.2.0/24": record},
            database_type="ipinfo bundle_location_core.mmdb",
        )
    )

    assert (facts.city, facts.postal) == ("Berlin", "10178")
    assert (facts.latitude, facts.longitude) == (52.5244, 13.4105)
    assert facts.location_precision == "city"


def test_an_old_location_database_is_read(tmp_path: Path) -> None:
    record = {"country": "DE", "city": "Berlin", "lat": "52.52", "lng": "13.41"}

    facts = facts_in(
        write_lite(
            tmp_path / "old.mmdb",
            {"192.0.2.0/24": record},
            database_type="ipinfo standard_location_mmdb.mmdb",
        )
    )

    assert (facts.country_code, facts.latitude) == ("DE", 52.52)


def test_an_old_country_and_asn_database_is_read(tmp_path: Path) -> None:
    record = {
        "country": "DE",
        "country_name": "Germany",
        "asn": "AS64496",
        "as_name": "Example",
    }
    path = write_lite(
        tmp_path / "old.mmdb",
        {"192.0.2.0/24": record},
        database_type="ipinfo country_free_country_asn.mmdb",
    )

    facts = facts_in(path)

    assert (facts.country_code, facts.country) == ("DE", "Germany")
    assert (facts.asn, facts.as_name) == (64496, "Example")


def test_an_asn_database_is_read(tmp_path: Path) -> None:
    record = {"asn": "AS64496", "name": "Example", "domain": "hosting.example"}

    facts = facts_in(
        write_lite(
            tmp_path / "asn.mmdb", {"192.0.2.0/24": record}, database_type="mine"
        )
    )

    assert (facts.country_code, facts.asn) == (None, 64496)
    assert (facts.as_name, facts.as_domain) == ("Example", "hosting.example")


def test_ipv6_is_not_known_to_a_database_of_ipv4(tmp_path: Path) -> None:
    path = write_lite(tmp_path / "v4.mmdb", {"192.0.2.0/24": GERMAN}, ip_version=4)

    with closing(open_database(path)) as database:
        assert database.facts(ipaddress.ip_address("2001:db8::1")) is None
        assert database.facts(ADDRESS) is not None


def test_a_record_that_is_no_record_is_nothing_known(tmp_path: Path) -> None:
    path = write_lite(
        tmp_path / "odd.mmdb",
        {"192.0.2.0/24": GERMAN, "198.51.100.0/24": {"country_code": 5, "city": 7}},
    )

    facts = facts_in(path, "198.51.100.1")

    assert (facts.country_code, facts.city) == (None, None)
