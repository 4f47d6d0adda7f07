"""The daemon's process and its rights, of real processes."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from f2b_enrich.health import check_process
from f2b_enrich.health.check_process import READ, SEARCH, WRITE, Account

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_HOLD = """
import fcntl, sys
with open(sys.argv[1]) as file:
    fcntl.flock(file, fcntl.LOCK_EX)
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def held(lock: Path, *before: str) -> Iterator[None]:
    """Hold a lock in a process that is called as the daemon is."""
    lock.touch(mode=0o644)
    command = (*before, sys.executable, "-c", _HOLD, str(lock), "f2b-enrich")
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, cwd="/") as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        yield
        process.stdin.close()


def test_the_process_that_holds_the_lock_is_found(short_folder: Path) -> None:
    lock = short_folder / "bans.db.daemon"
    assert check_process.holder(lock) is None
    with held(lock):
        found = check_process.holder(lock)
        other = short_folder / "other"
        other.touch()
        assert check_process.holder(other) is None
    assert found is not None
    assert found.account.user == os.geteuid()
    assert found.account.groups == {os.getegid(), *os.getgroups()}
    assert check_process.holder(lock) is None


def test_its_user_and_what_it_may_gain_are_known(
    short_folder: Path, as_nobody: tuple[str, ...]
) -> None:
    lock = short_folder / "bans.db.daemon"
    with held(lock, "setpriv", "--no-new-privs", *as_nobody):
        found = check_process.holder(lock)
    assert found is not None
    assert (found.account.user, found.gains) == (65534, False)


def test_what_is_no_process_of_ours_is_passed_over(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    lock.touch()
    inode = lock.stat().st_ino
    kinds = ("1: FLOCK", "2: -> FLOCK", "3: POSIX")
    lines = [f"{kind}  ADVISORY  WRITE 4711 08:01:{inode} 0 EOF" for kind in kinds]
    (tmp_path / "locks").write_text("\n".join([*lines, "short"]))
    assert check_process.holder(lock, proc=tmp_path) is None
    process = tmp_path / "4711"
    process.mkdir()
    (process / "cmdline").write_bytes(b"other")
    assert check_process.holder(lock, proc=tmp_path) is None
    (process / "cmdline").write_bytes(b"f2b-enrich")
    (process / "status").write_text("Uid:\t1\n")
    assert check_process.holder(lock, proc=tmp_path) is None


def test_an_account_that_nobody_made_is_not_known() -> None:
    account = check_process.installed()
    assert account is None or account.name == check_process.USER
    assert Account(user=4_000_000, groups=frozenset()).name == "4000000"


@pytest.mark.parametrize(
    ("user", "group", "mode", "may"),
    [
        (7, 7, 0o700, True),
        (7, 7, 0o077, False),
        (8, 7, 0o070, True),
        (8, 7, 0o707, False),
        (8, 8, 0o007, True),
        (8, 8, 0o770, False),
        (0, 0, 0o700, True),
        (0, 0, 0o077, False),
    ],
)
def test_the_mode_is_read_as_the_kernel_reads_it(
    user: int, group: int, mode: int, *, may: bool
) -> None:
    found = os.stat_result((mode, 0, 0, 0, 7, 7, 0, 0, 0, 0))
    account = Account(user=user, groups=frozenset({group}))
    assert account.may(found, READ | WRITE | SEARCH) is may
