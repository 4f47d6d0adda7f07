"""A member of the store's group reads it, with any program, and cannot write."""

from __future__ import annotations

import contextlib
import json
import signal
import socket
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from demo.lab import Lab, until
from tests import own_user
from tests.cli import run
from tests.daemons import request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

COUNT = "select count(*) from ban_log"
BIN = Path(sys.executable).parent
WRITES = (
    "insert into hosts values ('h', null, null, '', '')",
    "delete from bans",
    "pragma user_version = 7",
    "vacuum",
)


@pytest.fixture
def lab(short_folder: Path, as_nobody: tuple[str, ...]) -> Iterator[Lab]:
    """Give a daemon of its own user, which is not started yet."""
    del as_nobody  # it says why this cannot be tested where it cannot
    with Lab(short_folder, python=str(own_user.python(short_folder))) as lab:
        own_user.lay_out(lab)
        lab.write_config(store={"path": str(lab.store)}, geo={"database": ""})
        yield lab


def ban(lab: Lab, *ips: str) -> None:
    """Report bans as root, which the daemon acknowledges once they are on disk."""
    for ip in ips:
        with socket.socket(socket.AF_UNIX) as peer:
            peer.settimeout(20)
            peer.connect(str(lab.socket))
            peer.sendall(request(IP=ip))
            assert peer.recv(200).startswith(b"ok ")


def ran(
    lab: Lab, *command: str, who: tuple[str, ...] = own_user.AS_MEMBER
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        (*who, *command),
        cwd=lab.root,
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "HOME": "/nonexistent"},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )


def by_sqlite3(lab: Lab) -> int:
    done = ran(lab, "sqlite3", str(lab.store), COUNT)
    assert (done.returncode, done.stderr) == (0, "")
    return int(done.stdout)


def by_sqlite_utils(lab: Lab) -> int:
    done = ran(lab, str(BIN / "sqlite-utils"), str(lab.store), COUNT, "--raw")
    assert (done.returncode, done.stderr) == (0, "")
    return int(done.stdout)


def by_our_command(lab: Lab) -> int:
    done = ran(
        lab, str(BIN / "f2b-enrich"), "bans", "list", "--json", "--db", str(lab.store)
    )
    assert (done.returncode, done.stderr) == (0, "")
    return len(json.loads(done.stdout))


READERS = {
    "sqlite3": by_sqlite3,
    "sqlite-utils": by_sqlite_utils,
    "f2b-enrich": by_our_command,
}


def all_read(lab: Lab) -> dict[str, int]:
    return {name: read(lab) for name, read in READERS.items()}


def everybody(count: int) -> dict[str, int]:
    return dict.fromkeys(READERS, count)


def no_one_writes(lab: Lab) -> None:
    """Try to write as a member, by SQL and in the folder; nothing comes of it."""
    files = sorted(lab.store.parent.iterdir())
    assert {file.stat().st_uid for file in files} == {own_user.DAEMON}
    assert all(file.stat().st_mode & 0o027 == 0 for file in files)
    before = lab.store.read_bytes()
    for statement in WRITES:
        done = ran(lab, "sqlite3", "-bail", str(lab.store), statement)
        assert "readonly" in done.stderr, statement
    # Whatever SQLite says to this, the file is as it was.
    ran(lab, "sqlite3", str(lab.store), "pragma journal_mode = delete")
    ran(lab, "sqlite3", str(lab.store), "pragma wal_checkpoint(truncate)")
    for command in (
        ("touch", str(lab.store.parent / "new")),
        ("rm", "-f", str(lab.store)),
        ("sh", "-c", f": >>{lab.store}"),
    ):
        assert ran(lab, *command).returncode != 0
    assert ran(lab, "sqlite3", str(lab.store), COUNT, who=own_user.AS_STRANGER).stderr
    assert lab.store.read_bytes() == before


def test_a_member_reads_live_rows_and_cannot_write(lab: Lab) -> None:
    own_user.start(lab)
    assert all_read(lab) == everybody(0)
    for number in range(1, 4):
        ban(lab, f"192.0.2.{number}")
        assert all_read(lab) == everybody(number)
    no_one_writes(lab)
    ban(lab, "192.0.2.99")
    assert all_read(lab) == everybody(4)


def test_a_member_reads_after_a_clean_stop(lab: Lab) -> None:
    own_user.start(lab)
    ban(lab, "192.0.2.1", "192.0.2.2")
    assert lab.stop_daemon() == 0
    assert all_read(lab) == everybody(2)
    no_one_writes(lab)
    own_user.start(lab)
    ban(lab, "192.0.2.3")
    assert all_read(lab) == everybody(3)


def test_a_member_reads_after_kill_9(lab: Lab) -> None:
    own_user.start(lab)
    ban(lab, "192.0.2.1", "192.0.2.2")
    assert lab.stop_daemon(signal.SIGKILL) == -signal.SIGKILL
    assert lab.store.with_name("bans.db-wal").stat().st_size > 0
    assert all_read(lab) == everybody(2)
    no_one_writes(lab)
    assert all_read(lab) == everybody(2)
    own_user.start(lab)
    ban(lab, "192.0.2.3")
    assert all_read(lab) == everybody(3)


def test_a_check_by_root_after_kill_9_changes_nothing(lab: Lab) -> None:
    own_user.start(lab)
    ban(lab, "192.0.2.1", "192.0.2.2")
    lab.stop_daemon(signal.SIGKILL)
    files = (lab.store, lab.store.with_name("bans.db-wal"))
    before = [file.read_bytes() for file in files]
    said = run("check", "--offline", "--json", "--config", lab.config).out
    (store,) = [link for link in json.loads(said)["links"] if link["name"] == "store"]
    assert (store["level"], "left its log" in store["text"]) == ("ok", True)
    assert [file.read_bytes() for file in files] == before
    assert all_read(lab) == everybody(2)
    own_user.start(lab)
    said = run("check", "--offline", "--json", "--config", lab.config).out
    (store,) = [link for link in json.loads(said)["links"] if link["name"] == "store"]
    assert store["text"].startswith("writable, ")


def test_a_member_reads_after_kill_9_and_a_power_cut(lab: Lab) -> None:
    """What the memory of all processes shared is gone; so is, at times, its file."""
    own_user.start(lab)
    ban(lab, "192.0.2.1", "192.0.2.2")
    lab.stop_daemon(signal.SIGKILL)
    shared = lab.store.with_name("bans.db-shm")
    shared.write_bytes(bytes(shared.stat().st_size))
    assert all_read(lab) == everybody(2)


def test_a_reader_that_stays_open_over_a_stop_spoils_nothing(lab: Lab) -> None:
    own_user.start(lab)
    ban(lab, "192.0.2.1")
    with open_reader_of(lab) as ask:
        assert ask() == "1"
        assert lab.stop_daemon() == 0
        assert ask() == "1"
        assert all_read(lab) == everybody(1)
    assert all_read(lab) == everybody(1)
    no_one_writes(lab)


@contextlib.contextmanager
def open_reader_of(lab: Lab) -> Iterator[Callable[[], str]]:
    """Keep a member's sqlite3 open; give what asks it."""
    with subprocess.Popen(
        (*own_user.AS_MEMBER, "sqlite3", str(lab.store)),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        bufsize=1,
    ) as process:
        asking, answering = process.stdin, process.stdout
        assert asking is not None
        assert answering is not None

        def ask() -> str:
            asking.write(f"{COUNT};\n")
            asking.flush()
            return answering.readline().strip()

        try:
            yield ask
        finally:
            asking.close()


def test_a_member_reads_while_the_daemon_writes_all_the_time(lab: Lab) -> None:
    own_user.start(lab)
    counts: list[int] = []

    def next_ban_and_look() -> bool:
        ban(lab, f"198.51.100.{len(counts)}")
        counts.append(by_sqlite3(lab))
        return len(counts) == 30

    assert until(next_ban_and_look, seconds=60)
    assert counts == list(range(1, 31))


def test_root_that_opened_it_after_a_kill_is_mended_by_the_next_start(
    lab: Lab,
) -> None:
    """Another program of root's, as the last to close, takes the log away.

    What it leaves is a file that SQLite will read only where it may write beside it.
    Our own command reads it all the same, and the daemon puts it right.
    """
    own_user.start(lab)
    ban(lab, "192.0.2.1", "192.0.2.2")
    lab.stop_daemon(signal.SIGKILL)
    with contextlib.closing(sqlite3.connect(lab.store)) as root:
        assert root.execute(COUNT).fetchone() == (2,)
    assert not lab.store.with_name("bans.db-wal").exists()
    assert by_our_command(lab) == 2
    own_user.start(lab)
    assert all_read(lab) == everybody(2)
    assert lab.stop_daemon() == 0
    assert all_read(lab) == everybody(2)
