"""What is set aside stays in the spool, whatever `bad` may be."""

from __future__ import annotations

from pathlib import Path

import pytest

from f2b_enrich import spool
from f2b_enrich.errors import SpoolError


@pytest.fixture
def file(tmp_path: Path) -> Path:
    folder = tmp_path / "spool"
    folder.mkdir()
    file = folder / "1-1-3.ban"
    file.write_bytes(b"odd")
    return file


def open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_the_folder_is_made_once(file: Path) -> None:
    spool.set_aside(file)
    file.write_bytes(b"odd again")
    before = open_descriptors()
    spool.set_aside(file)

    assert open_descriptors() == before
    assert (file.parent / spool.BAD / file.name).read_bytes() == b"odd again"


def test_a_link_in_its_place_is_not_followed(file: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (file.parent / spool.BAD).symlink_to(elsewhere)

    with pytest.raises(SpoolError, match=r"spool/bad: Not a directory"):
        spool.set_aside(file)

    assert list(elsewhere.iterdir()) == []
    assert file.read_bytes() == b"odd"


def test_a_file_in_its_place_is_named(file: Path) -> None:
    (file.parent / spool.BAD).touch()

    with pytest.raises(SpoolError, match=r"spool/bad: Not a directory"):
        spool.set_aside(file)
