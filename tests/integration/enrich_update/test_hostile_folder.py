"""Links, pipes and folders that somebody planted mislead no update."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from f2b_enrich.enrich import placing, update
from f2b_enrich.errors import GeoError
from tests.integration.enrich_update.updating import (
    NOW,
    Untouched,
    assert_replaced,
    from_ipinfo,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.fake_ipinfo import FakeIpinfo


@pytest.fixture
def victim(tmp_path: Path) -> Iterator[Path]:
    """Give a file that no update may touch, whatever leads to it."""
    path = tmp_path / "victim"
    path.write_bytes(b"secret")
    path.chmod(0o600)
    before = path.stat()
    yield path
    after = path.stat()
    assert path.read_bytes() == b"secret"
    assert (after.st_mode, after.st_uid) == (before.st_mode, before.st_uid)
    assert after.st_ctime_ns == before.st_ctime_ns


@pytest.mark.parametrize(
    "name",
    [
        "ipinfo_lite.mmdb",
        "ipinfo_lite.mmdb.ATTRIBUTION",
        ".ipinfo_lite.mmdb.new",
        ".ipinfo_lite.mmdb.ATTRIBUTION.new",
    ],
)
def test_a_planted_link_is_replaced_and_not_followed(
    server: FakeIpinfo, target: Path, content: bytes, victim: Path, name: str
) -> None:
    planted = target.with_name(name)
    planted.unlink(missing_ok=True)
    planted.symlink_to(victim)

    from_ipinfo(target, server.url)

    assert_replaced(target, content)
    assert not any(path.is_symlink() for path in target.parent.iterdir())


def test_a_link_to_the_database_of_today_is_replaced_too(
    server: FakeIpinfo, target: Path, content: bytes, source: Path
) -> None:
    target.unlink()
    target.symlink_to(source)

    assert from_ipinfo(target, server.url).changed

    assert_replaced(target, content)
    assert not target.is_symlink()


@pytest.mark.parametrize("name", [".ipinfo_lite.mmdb.new", "ipinfo_lite.mmdb"])
def test_a_planted_folder_is_told(target: Path, source: Path, name: str) -> None:
    planted = target.with_name(name)
    planted.unlink(missing_ok=True)
    planted.mkdir()

    with pytest.raises(GeoError, match=r"File exists|Is a directory"):
        update.from_file(target, source, now=NOW)

    assert planted.is_dir()


def test_a_planted_pipe_does_not_hold_the_update_up(
    server: FakeIpinfo, target: Path, content: bytes
) -> None:
    target.unlink()
    os.mkfifo(target)

    from_ipinfo(target, server.url)

    assert_replaced(target, content)


@pytest.mark.parametrize("exists", [True, False])
def test_a_folder_that_is_a_link_is_refused(
    tmp_path: Path, source: Path, *, exists: bool
) -> None:
    elsewhere = tmp_path / "elsewhere"
    if exists:
        elsewhere.mkdir()
    folder = tmp_path / "geo"
    folder.symlink_to(elsewhere)

    with pytest.raises(GeoError, match="geo: is a symbolic link"):
        update.from_file(folder / "ipinfo_lite.mmdb", source, now=NOW)

    assert not exists or list(elsewhere.iterdir()) == []


def test_a_folder_swapped_during_the_update_is_not_written_to(
    target: Path, content: bytes, source: Path, tmp_path: Path
) -> None:
    aside, elsewhere = tmp_path / "aside", tmp_path / "elsewhere"
    elsewhere.mkdir()
    with placing.workshop(target) as bench:
        fetched = bench.folder / "database"
        sha256 = placing.copy([source.read_bytes()], fetched)
        target.parent.rename(aside)
        target.parent.symlink_to(elsewhere)
        placing.place(bench, fetched, sha256=sha256, origin="a test", now=NOW)

    assert list(elsewhere.iterdir()) == []
    assert_replaced(aside / target.name, content)


def test_the_work_is_done_where_nobody_else_can_reach(target: Path) -> None:
    with placing.workshop(target) as bench:
        assert stat.S_IMODE(bench.folder.stat().st_mode) == 0o700
        assert bench.folder.stat().st_uid == os.geteuid()
        assert bench.folder.parent == Path(tempfile.gettempdir())
        assert [path.name for path in target.parent.iterdir()] == [target.name]

    assert not bench.folder.exists()


def test_only_what_was_fetched_is_placed(target: Path, source: Path) -> None:
    with placing.workshop(target) as bench:
        fetched = bench.folder / "database"
        placing.copy([source.read_bytes()], fetched)
        with Untouched(target), pytest.raises(GeoError, match="changed while"):
            placing.place(bench, fetched, sha256="0" * 64, origin="a test", now=NOW)
