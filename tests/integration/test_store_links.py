"""A store that is found by a link."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest

from f2b_enrich.errors import StoreError
from f2b_enrich.store.connection import open_reader, open_writer

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("name", ["left.db", "link.db"])
def test_a_log_that_was_left_is_not_passed_over(
    short_folder: Path, as_nobody: tuple[str, ...], name: str
) -> None:
    del as_nobody  # only root can take itself the right
    left, links = short_folder / "left.db", short_folder / "links"
    links.mkdir()
    for link in (links / "left.db", links / "link.db"):
        link.symlink_to(left)
    with open_writer(short_folder / "bans.db") as store:
        store.execute("INSERT INTO hosts VALUES ('h', NULL, NULL, '', '')")
        for ending in ("", "-wal"):
            shutil.copy(short_folder / f"bans.db{ending}", f"{left}{ending}")
    for file in short_folder.glob("left.db*"):
        file.chmod(0o644)

    with pytest.raises(StoreError, match="unable to open database file"):
        read_as_another_user(links / name)


def read_as_another_user(path: Path) -> None:
    os.seteuid(65534)
    try:
        with open_reader(path):
            pass
    finally:
        os.seteuid(0)
