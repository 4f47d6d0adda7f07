"""A database comes from a file, packed or not, if it is one."""

from __future__ import annotations

import gzip
import io
import zipfile
from typing import TYPE_CHECKING

import pytest

from f2b_enrich.enrich import placing, update
from f2b_enrich.errors import GeoError
from tests.integration.enrich_update.updating import NOW, Untouched, assert_replaced
from tests.mmdb import write_lite
from tests.wheels import MEMBER, write_wheel

if TYPE_CHECKING:
    from pathlib import Path


def test_a_file_is_placed(target: Path, content: bytes, tmp_path: Path) -> None:
    source = tmp_path / "new\x1b.mmdb"
    source.write_bytes(content)

    placed = update.from_file(target, source, now=NOW)

    assert_replaced(target, content)
    assert placed.origin == "the file new\u241b.mmdb"
    assert source.exists()


def test_a_packed_file_is_placed(target: Path, content: bytes, tmp_path: Path) -> None:
    source = tmp_path / "new.mmdb.gz"
    source.write_bytes(gzip.compress(content))

    update.from_file(target, source, now=NOW)

    assert_replaced(target, content)


def test_a_wheels_database_is_placed(
    target: Path, content: bytes, tmp_path: Path
) -> None:
    source = write_wheel(tmp_path / "wheels", {MEMBER: content})

    update.from_file(target, source, now=NOW)

    assert_replaced(target, content)


def test_a_file_of_another_kind_replaces_what_is_there(
    target: Path, tmp_path: Path
) -> None:
    source = write_lite(
        tmp_path / "core.mmdb", database_type="ipinfo bundle_location_core.mmdb"
    )

    placed = update.from_file(target, source, now=NOW)

    assert placed.kind == "IPinfo Core"
    assert "CC BY-SA" not in placing.attribution_path(target).read_text()


def packed(names: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in names.items():
            archive.writestr(name, content)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (b"", "not a database"),
        (b"<html>", "not a database"),
        (gzip.compress(b"<html>" * 1000)[:-20], "ended before|of no use"),
        (gzip.compress(b"<html>"), "not a database"),
        (b"\x1f\x8b" + b"\xff" * 50, "compression|Unknown|gzip"),
        (packed({"a.mmdb": b"", "b.mmdb": b""}), "holds 2 .mmdb files"),
        (packed({"README": b""}), "holds 0 .mmdb files"),
        (packed({"a.mmdb": b"<html>"}), "not a database"),
        (packed({"a.mmdb": b"x" * 5000})[:100], "not a zip"),
        (packed({"a.mmdb": b"x" * 50}).replace(b"x" * 9, b"y" * 9), "CRC"),
    ],
    # The bytes have the time in them, and each worker names the tests for itself.
    ids=[
        *("empty", "html", "gzip cut off", "gzip of html", "no gzip", "two files"),
        *("no file", "zip of html", "zip cut off", "zip with a wrong sum"),
    ],
)
def test_a_bad_file_is_refused(
    target: Path, tmp_path: Path, source: bytes, words: str
) -> None:
    path = tmp_path / "source"
    path.write_bytes(source)

    with Untouched(target), pytest.raises(GeoError, match=words):
        update.from_file(target, path, now=NOW)


def test_a_file_whose_tree_leads_back_into_itself_is_refused(
    target: Path, tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "source"
    # Node 50 of 24-bit records leads to node 1; reading on has ended processes.
    path.write_bytes(content[:300] + b"\0\0\1" + content[303:])

    with Untouched(target), pytest.raises(GeoError, match="damaged database"):
        update.from_file(target, path, now=NOW)


def test_a_file_that_is_not_there_is_told(target: Path, tmp_path: Path) -> None:
    with Untouched(target), pytest.raises(GeoError, match="No such file"):
        update.from_file(target, tmp_path / "none", now=NOW)
