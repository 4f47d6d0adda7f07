"""A damaged database is refused or read, and never the end of the process."""

from __future__ import annotations

import ipaddress
import os
import tempfile
from contextlib import closing, suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from f2b_enrich.enrich.local import LocalDatabase, open_database
from f2b_enrich.errors import GeoError, ProviderError
from tests.clock import Clock
from tests.mmdb import GERMAN, write_lite

ADDRESS = ipaddress.ip_address("192.0.2.7")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write_lite(tmp_path / "lite.mmdb")


@pytest.fixture
def clock() -> Clock:
    return Clock()


def lite_bytes() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        return write_lite(Path(folder) / "lite.mmdb").read_bytes()


WHOLE = lite_bytes()


@settings(max_examples=300)
@given(
    st.lists(
        st.tuples(st.integers(0, len(WHOLE) - 1), st.integers(0, 255)),
        min_size=1,
        max_size=4,
    )
)
def test_whatever_bytes_are_wrong_the_process_lives(
    damage: list[tuple[int, int]],
) -> None:
    content = bytearray(WHOLE)
    for position, byte in damage:
        content[position] = byte
    with tempfile.NamedTemporaryFile() as file:
        file.write(content)
        file.flush()
        # It is read or refused, and nothing else.
        with suppress(GeoError), closing(open_database(Path(file.name))) as database:
            assert database.name
            for ip in ("192.0.2.7", "2001:db8::7", "203.0.113.7", "2002::7"):
                database.facts(ipaddress.ip_address(ip))


@pytest.mark.parametrize("name", [b"node_count", b"record_size", b"ip_version"])
@pytest.mark.parametrize("control", range(0, 256, 5))
def test_whatever_the_metadata_say_the_process_lives(
    tmp_path: Path, name: bytes, control: int
) -> None:
    content = bytearray(WHOLE)
    content[content.rindex(name) + len(name)] = control
    path = tmp_path / "odd.mmdb"
    path.write_bytes(content)

    with suppress(GeoError), closing(open_database(path)) as database:
        database.facts(ADDRESS)


def test_a_tree_that_leads_back_into_itself_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "loop.mmdb"
    # Node 50 of 24-bit records leads to node 1.
    path.write_bytes(WHOLE[:300] + b"\0\0\1" + WHOLE[303:])

    with pytest.raises(GeoError, match="damaged database"):
        open_database(path)


def test_a_tree_with_endless_ways_to_nothing_is_refused_soon(path: Path) -> None:
    with closing(open_database(path)) as database:
        size, count = database.reader.metadata().node_byte_size, database.nodes
    content = bytearray(path.read_bytes())
    for node in range(count):  # both branches lead to the next one, 100 levels deep
        following = node + 1 if node < 99 else count
        branch = following.to_bytes(size // 2, "big")
        content[node * size : (node + 1) * size] = branch * 2
    path.write_bytes(content)

    with pytest.raises(GeoError, match="without a single record"):
        open_database(path)


@pytest.mark.parametrize("content", [b"", b"<html>", b"\0" * 4096])
def test_a_file_of_something_else_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "other.mmdb"
    path.write_bytes(content)

    with pytest.raises(GeoError, match="not a database"):
        open_database(path)


def test_a_database_cut_short_is_refused(path: Path) -> None:
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])

    with pytest.raises(GeoError, match="not a database"):
        open_database(path)


def test_a_database_with_a_hole_is_refused(path: Path) -> None:
    whole = path.read_bytes()
    start = whole.index(b"country")
    path.write_bytes(whole[: start - 40] + b"\xff" * 200 + whole[start + 160 :])

    with pytest.raises(GeoError, match="damaged"):
        open_database(path)


async def test_a_hole_found_later_is_an_error_of_that_look_up(
    tmp_path: Path, clock: Clock
) -> None:
    records = {f"192.0.2.{n}/32": {"country_code": "DE", "n": n} for n in range(100)}
    records["203.0.113.0/24"] = {"country_code": "NL", "as_name": "spoil me"}
    path = write_lite(tmp_path / "holed.mmdb", records)
    spoil_at(path, b"spoil me")
    local = LocalDatabase(path, now=clock)

    assert await local.look_up(ADDRESS) is not None
    with pytest.raises(ProviderError, match="damaged database"):
        await local.look_up(ipaddress.ip_address("203.0.113.1"))

    await local.aclose()


def spoil_at(path: Path, text: bytes) -> None:
    """Make text out of nowhere: no UTF-8."""
    path.write_bytes(path.read_bytes().replace(text, b"\xff" * len(text)))


def test_what_no_json_can_hold_is_an_error_of_that_look_up(tmp_path: Path) -> None:
    record = {"country_code": "DE", "latitude": float("nan")}
    records = {"192.0.2.0/24": record, "198.51.100.0/24": GERMAN}
    path = write_lite(tmp_path / "nan.mmdb", records)

    with closing(open_database(path)) as database:
        facts = database.facts(ipaddress.ip_address("198.51.100.1"))
        with pytest.raises(GeoError, match="damaged database"):
            database.facts(ADDRESS)

    assert facts is not None
    assert facts.country_code == "DE"


def test_an_empty_database_is_refused(tmp_path: Path) -> None:
    with pytest.raises(GeoError, match="without a single record"):
        open_database(write_lite(tmp_path / "empty.mmdb", {}))


async def test_a_file_cut_off_in_place_does_no_harm(path: Path, clock: Clock) -> None:
    local = LocalDatabase(path, now=clock)
    assert await local.look_up(ADDRESS) is not None
    os.truncate(path, 16)  # of a file mapped into memory this would be the end

    with suppress(ProviderError):
        assert await local.look_up(ADDRESS) is None
    clock.move(seconds=1)
    with pytest.raises(ProviderError, match="not a database"):
        await local.look_up(ADDRESS)


def test_a_folder_is_not_a_database(tmp_path: Path) -> None:
    with pytest.raises(GeoError, match="Is a directory"):
        open_database(tmp_path)


def test_a_file_that_cannot_be_opened_is_told(tmp_path: Path) -> None:
    loop = tmp_path / "loop.mmdb"
    loop.symlink_to(loop)

    with pytest.raises(GeoError, match="symbolic links"):
        open_database(loop)
