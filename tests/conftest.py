"""What tests of all kinds share: Hypothesis's profiles, folders, another user."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from f2b_enrich.store.connection import open_writer

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

settings.register_profile("dev", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "dev"))


def pytest_xdist_auto_num_workers() -> int:
    """Run one worker more than there are processors: many tests wait for programs."""
    return len(os.sched_getaffinity(0)) + 1


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """Give a folder that a Unix socket fits in (107 bytes) and all users may enter."""
    folder = Path(tempfile.mkdtemp(prefix="f2b-", dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def as_nobody() -> tuple[str, ...]:
    """Give the words before a command that make it run as a user without rights."""
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        pytest.skip("only root, with setpriv, can become another user")
    words = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
    checkout = str(Path(__file__).parent.parent / "f2b_enrich" / "handover.py")
    if subprocess.run((*words, "test", "-r", checkout), check=False).returncode:
        pytest.skip("NOT tested: no other user can read this checkout")
    return words


@pytest.fixture
def store(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """Give an empty store, open for writing, in the file `bans.db`."""
    with open_writer(tmp_path / "bans.db") as connection:
        yield connection
