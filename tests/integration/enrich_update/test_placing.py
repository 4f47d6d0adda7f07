"""A database is replaced whole, with its attribution, or not at all."""

from __future__ import annotations

import fcntl
import os
import resource
import shutil
import stat
import tempfile
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from f2b_enrich.enrich import placing, update
from f2b_enrich.enrich.local import open_database
from f2b_enrich.errors import GeoError
from tests.fake_ipinfo import FakeIpinfo, refusing_url
from tests.integration.enrich_update.updating import (
    NOW,
    Untouched,
    assert_replaced,
    from_ipinfo,
)
from tests.mmdb import write_lite

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def no_file_over(size: int) -> Iterator[None]:
    """Let the kernel refuse longer files, much as a full disk would."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_another_kind_of_database_is_not_replaced_unasked(
    server: FakeIpinfo, target: Path
) -> None:
    write_lite(target, database_type="ipinfo bundle_location_core.mmdb")

    with Untouched(target), pytest.raises(GeoError, match="holds IPinfo Core"):
        from_ipinfo(target, server.url)
    with Untouched(target), pytest.raises(GeoError, match="holds IPinfo Core"):
        update.from_package(target, now=NOW)


def test_two_updates_at_once_are_refused(server: FakeIpinfo, target: Path) -> None:
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        with Untouched(target), pytest.raises(GeoError, match="another update"):
            from_ipinfo(target, server.url)
    finally:
        os.close(folder)


def test_a_killed_updates_leavings_are_swept(
    server: FakeIpinfo, target: Path, content: bytes
) -> None:
    target.with_name(".ipinfo_lite.mmdb.new").write_bytes(b"half")
    target.with_name(".ipinfo_lite.mmdb.ATTRIBUTION.new").write_bytes(b"half")

    from_ipinfo(target, server.url)

    assert_replaced(target, content)


def test_the_folder_is_made(server: FakeIpinfo, tmp_path: Path, content: bytes) -> None:
    target = tmp_path / "a" / "b" / "ipinfo_lite.mmdb"

    from_ipinfo(target, server.url)

    assert_replaced(target, content)


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(GeoError, match=r"Not a directory|File exists"):
        from_ipinfo(tmp_path / "file" / "geo" / "x.mmdb", refusing_url())


@pytest.mark.parametrize("spoiled", [b"", b"<html>", b"\0" * 100])
def test_a_damaged_file_is_replaced(
    server: FakeIpinfo, target: Path, content: bytes, spoiled: bytes
) -> None:
    target.write_bytes(spoiled)

    from_ipinfo(target, server.url)

    assert_replaced(target, content)


def test_a_reader_keeps_the_old_database_while_it_is_replaced(
    server: FakeIpinfo, target: Path
) -> None:
    with closing(open_database(target)) as old:
        from_ipinfo(target, server.url)

        assert {record["country_code"] for _, record in old.reader} == {"NL"}


def test_without_its_attribution_no_database_is_placed(
    target: Path, content: bytes, tmp_path: Path
) -> None:
    source = tmp_path / "new.mmdb"
    source.write_bytes(content)
    before = target.read_bytes()
    placing.attribution_path(target).mkdir()

    with pytest.raises(GeoError, match="Is a directory"):
        update.from_file(target, source, now=NOW)

    assert target.read_bytes() == before
    assert not list(target.parent.glob(".*"))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_root_leaves_the_files_to_the_owner_of_the_folder(
    target: Path, content: bytes, source: Path
) -> None:
    os.chown(target.parent, 12345, 23456)
    before = os.umask(0o077)
    try:
        update.from_file(target, source, now=NOW)
    finally:
        os.umask(before)

    assert_replaced(target, content)
    for path in target.parent.iterdir():
        status = path.stat()
        assert (status.st_uid, status.st_gid) == (12345, 23456)
        assert stat.S_IMODE(status.st_mode) == 0o644


def test_the_target_may_be_on_another_file_system(content: bytes, source: Path) -> None:
    memory = Path("/dev/shm")  # noqa: S108 - only to have another file system
    temporary = Path(tempfile.gettempdir())
    if not memory.is_dir() or memory.stat().st_dev == temporary.stat().st_dev:
        pytest.skip("there is one file system only")
    folder = Path(tempfile.mkdtemp(dir=memory))
    try:
        update.from_file(folder / "ipinfo_lite.mmdb", source, now=NOW)

        assert_replaced(folder / "ipinfo_lite.mmdb", content)
    finally:
        shutil.rmtree(folder)


def test_a_database_larger_than_any_is_refused(tmp_path: Path) -> None:
    piece = b"\0" * (1 << 20)

    with pytest.raises(GeoError, match="over"):
        placing.copy((piece for _ in range(8)), tmp_path / "x", largest=1 << 22)


def test_no_room_to_work_in_is_told(target: Path, source: Path) -> None:
    with (
        Untouched(target),
        no_file_over(100),
        pytest.raises(GeoError, match="the temporary folder: File too large"),
    ):
        update.from_file(target, source, now=NOW)


def test_no_room_for_the_database_is_told(target: Path, source: Path) -> None:
    with placing.workshop(target) as bench:
        fetched = bench.folder / "database"
        sha256 = placing.copy([source.read_bytes()], fetched)
        with (
            Untouched(target),
            no_file_over(1000),
            pytest.raises(GeoError, match=r"/ipinfo_lite\.mmdb: File too large"),
        ):
            placing.place(bench, fetched, sha256=sha256, origin="a test", now=NOW)
