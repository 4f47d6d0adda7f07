"""A store that is locked, full, read-only or was left by a killed daemon."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import signal
import socket
import sqlite3
import subprocess
import sys
from dataclasses import replace
from threading import Timer
from typing import TYPE_CHECKING

import pytest

from demo.lab import Lab
from f2b_enrich.errors import StoreError
from f2b_enrich.store.connection import open_reader
from tests.daemons import QUICK, TIME, living, locked, request
from tests.smtp_server import HANG

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from tests.daemons import Daemon

LOCKED = "error store: database is locked"
FULL = "error store: database or disk is full"


@pytest.fixture
async def daemon(short_folder: Path) -> AsyncIterator[Daemon]:
    async with living(short_folder) as daemon:
        yield daemon


@pytest.fixture
def lab(short_folder: Path) -> Iterator[Lab]:
    with Lab(short_folder) as lab:
        yield lab


@pytest.fixture
def disk(short_folder: Path) -> Iterator[Path]:
    """Give a file system of 2 MiB with nothing on it."""
    if os.geteuid() != 0:
        pytest.skip("a full disk was NOT tested: only root can mount a small one")
    folder = short_folder / "disk"
    folder.mkdir()
    mount = ("mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder))
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"a full disk was NOT tested: {done.stderr.strip()}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def fill(disk: Path) -> Path:
    """Write until there is no room for a single page more."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError as exc:
            if exc.errno != errno.ENOSPC:
                raise
    return filler


def is_sound(store: Path) -> bool:
    with contextlib.closing(sqlite3.connect(store)) as db:
        index = "INSERT INTO log_lines_fts (log_lines_fts) VALUES ('integrity-check')"
        db.execute(index)
        return db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


async def test_while_another_process_writes_a_request_waits(daemon: Daemon) -> None:
    daemon.spans = replace(QUICK, store=10.0)
    daemon.configure()
    await daemon.start()
    with locked(daemon.lab.store):
        asked = asyncio.create_task(daemon.ban())
        done, _ = await asyncio.wait([asked], timeout=0.1)
        assert not done
    assert len(await asked) == 36
    assert daemon.logged("event not recorded") == []


async def test_what_a_locked_store_refuses_goes_to_the_spool_and_is_not_lost(
    daemon: Daemon,
) -> None:
    daemon.configure()
    await daemon.start()
    with locked(daemon.lab.store):
        assert await daemon.report() == LOCKED
        for last in range(1, 6):
            assert await daemon.client(f"192.0.2.{last}") == 0
        spooled = list(daemon.lab.root.glob("spool/*.ban"))
        assert len(spooled) == 5
        # The drain has met the lock too, and leaves the files where they are.
        failed = await daemon.until_logged("loop failed", loop="drain")
        assert failed["reason"] == "store: database is locked"

    await daemon.until_sent(5)
    assert sorted(ban["ip"] for ban in daemon.bans()) == [
        f"192.0.2.{last}" for last in range(1, 6)
    ]
    assert not list(daemon.lab.root.glob("spool/*"))
    assert await daemon.ban() == daemon.bans()[-1]["id"]


async def test_a_client_that_waited_in_vain_and_its_file_are_one_ban(
    daemon: Daemon,
) -> None:
    daemon.spans = replace(QUICK, store=10.0)
    mark = daemon.lab.root / "run" / "slow"
    daemon.configure()
    await daemon.start()
    with locked(daemon.lab.store):
        assert await daemon.client("192.0.2.1") == 0  # after its half second
        # The next ones do not even ask as long as the lock is held.
        assert mark.exists()
        assert await daemon.client("192.0.2.2") == 0
        assert len(list(daemon.lab.root.glob("spool/*.ban"))) == 2

    await daemon.until_sent(2)
    await daemon.until(lambda: not list(daemon.lab.root.glob("spool/*")))
    await daemon.until(lambda: not mark.exists())
    assert len(daemon.bans()) == 2


async def test_the_outcome_of_a_mail_is_noted_when_the_lock_is_gone(
    daemon: Daemon,
) -> None:
    daemon.configure()
    daemon.smtp.greeting_delay = 0.5
    await daemon.start()
    await daemon.ban()
    await asyncio.to_thread(daemon.smtp.wait_until, lambda: bool(daemon.smtp.verbs))
    with locked(daemon.lab.store):
        await daemon.mails(1)
        await daemon.until_logged("outcome of a mail not yet noted")
        assert daemon.states() == ["sending"]

    await daemon.until_sent(1)
    assert len(daemon.smtp.received) == 1


async def test_a_locked_store_does_not_hold_up_the_end(daemon: Daemon) -> None:
    daemon.configure()
    await daemon.start()
    reader, writer = await asyncio.open_unix_connection(daemon.lab.socket)
    with locked(daemon.lab.store):
        writer.write(request())
        await writer.drain()
        await daemon.stop()
    assert await reader.read() in {LOCKED.encode() + b"\n", b""}
    writer.close()
    await writer.wait_closed()
    await daemon.start()
    await daemon.ban()


async def test_a_report_that_began_before_does_not_keep_the_daemon_from_starting(
    daemon: Daemon,
) -> None:
    """Without a daemon the store has a form in which readers hold up writers."""
    daemon.configure()
    await daemon.start()
    await daemon.stop()
    with open_reader(daemon.lab.store) as report:
        report.execute("BEGIN")
        report.execute("SELECT count(*) FROM bans").fetchone()
        over = Timer(3 * QUICK.store, report.execute, ["ROLLBACK"])
        over.start()
        await daemon.start()
        over.join()
    await daemon.ban()
    waiting = [each for each in daemon.logs if "being read" in each["event"]]
    assert len(waiting) == 1


async def test_neither_does_one_with_a_mail_that_hangs(daemon: Daemon) -> None:
    daemon.configure(mail={"prolong_wait_seconds": 1})
    daemon.smtp.replies["DATA"] = HANG
    await daemon.start()
    for last in range(1, 4):
        await daemon.ban(f"192.0.2.{last}", BANCOUNT="2")
    daemon.clock.move(seconds=1)
    await daemon.nudge()
    asked = lambda: "DATA" in daemon.smtp.verbs  # noqa: E731
    await asyncio.to_thread(daemon.smtp.wait_until, asked)
    assert daemon.states() == ["sending"] * 3

    with locked(daemon.lab.store):
        await daemon.stop()

    daemon.smtp.replies.clear()
    await daemon.start()
    await daemon.until_sent(3)
    assert len(daemon.smtp.received) == 3


async def test_on_a_full_disk_bans_are_refused_and_come_in_later(
    disk: Path, daemon: Daemon
) -> None:
    daemon.configure(store={"path": str(disk / "bans.db")})
    daemon.lab.store = disk / "bans.db"
    await daemon.start()
    before = [await daemon.ban(f"192.0.2.{last}") for last in range(1, 4)]
    await daemon.until_sent(3)

    filler = fill(disk)
    # There may be room left inside the log that SQLite writes ahead.
    refused = [
        await daemon.report(IP=f"198.51.100.{last}", MATCHES="x" * 8000)
        for last in range(1, 100)
    ]
    assert refused[-1] == FULL
    taken = [answer for answer in refused if answer != FULL]
    assert all(answer.startswith("ok ") for answer in taken)
    assert await daemon.client("192.0.2.4", MATCHES="x" * 8000) == 0
    assert len(list(daemon.lab.root.glob("spool/*.ban"))) == 1

    filler.unlink()
    await daemon.until(lambda: not list(daemon.lab.root.glob("spool/*")))
    after = await daemon.ban("192.0.2.5")
    ids = {ban["id"] for ban in daemon.bans()}
    assert {*before, after, *(answer[3:] for answer in taken)} < ids
    assert len(ids) == 3 + len(taken) + 2
    await daemon.until_sent(len(ids))
    await daemon.stop()
    assert is_sound(disk / "bans.db")


async def test_a_disk_that_is_full_at_the_start_is_said_in_a_line(
    disk: Path, daemon: Daemon
) -> None:
    fill(disk)
    daemon.configure(store={"path": str(disk / "bans.db")})
    with pytest.raises(StoreError) as refused:
        await daemon.start()
    assert str(refused.value).startswith(f"store {disk / 'bans.db'}: ")
    assert "full" in str(refused.value) or "No space" in str(refused.value)


async def test_a_read_only_disk_is_said_in_a_line(disk: Path, daemon: Daemon) -> None:
    daemon.configure(store={"path": str(disk / "bans.db")})
    await daemon.start()
    await daemon.stop()
    command = ["mount", "-o", "remount,ro", str(disk)]
    await asyncio.to_thread(subprocess.run, command, check=True)
    with pytest.raises(StoreError) as refused:
        await daemon.start()
    assert str(refused.value) == f"store {disk / 'bans.db'}: Read-only file system"


def test_a_store_that_only_others_may_write_is_said_in_a_line(
    lab: Lab, as_nobody: tuple[str, ...]
) -> None:
    lab.write_config()
    lab.start_daemon()
    lab.stop_daemon()
    words = ("-m", "f2b_enrich", "daemon", "--config", str(lab.config))
    refused = subprocess.run(
        [*as_nobody, sys.executable, *words],
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONDONTWRITEBYTECODE": "1"},
        timeout=30,
    )
    assert refused.stderr == f"f2b-enrich: store {lab.store}: Permission denied\n"
    assert refused.returncode == 1


@pytest.mark.parametrize("content", [b"no database at all" * 99, None])
async def test_what_is_no_store_of_ours_is_left_alone(
    daemon: Daemon, content: bytes | None
) -> None:
    daemon.configure()
    if content is None:
        with contextlib.closing(sqlite3.connect(daemon.lab.store)) as db:
            db.execute("CREATE TABLE other (x)")
        content = daemon.lab.store.read_bytes()
    daemon.lab.store.write_bytes(content)
    with pytest.raises(StoreError, match="database"):
        await daemon.start()
    assert daemon.lab.store.read_bytes() == content


def test_what_was_acknowledged_survives_a_kill(lab: Lab) -> None:
    lab.write_config(geo={"database": ""}, mail={"wait_seconds": 600})
    acknowledged: set[str] = set()
    for round_ in range(3):
        lab.start_daemon()
        acknowledged |= acknowledged_until_killed(lab, round_)
    assert len(acknowledged) >= 300

    lab.start_daemon()
    with contextlib.closing(sqlite3.connect(lab.store)) as db:
        stored = {row[0] for row in db.execute("SELECT id FROM bans")}
    assert acknowledged <= stored
    assert lab.stop_daemon() == 0
    assert "Traceback" not in lab.daemon_log()
    assert is_sound(lab.store)
    assert not lab.store.with_name("bans.db-wal").exists()


def acknowledged_until_killed(lab: Lab, round_: int) -> set[str]:
    """Report bans without a break and kill the daemon in the middle of them."""
    requests = b"".join(
        request(IP=f"192.0.2.{number}", TIME=f"{TIME + round_ * 1000:.2f}")
        for number in range(250)
    )
    with socket.socket(socket.AF_UNIX) as peer:
        peer.settimeout(20)
        peer.connect(str(lab.socket))
        peer.sendall(requests)
        with peer.makefile("rb") as stream:
            answers = [stream.readline() for _ in range(100)]
            lab.stop_daemon(signal.SIGKILL)
            with contextlib.suppress(ConnectionError):
                answers += stream.readlines()
    whole = [answer for answer in answers if answer.endswith(b"\n")]
    assert all(answer.startswith(b"ok ") for answer in whole)
    return {answer[3:-1].decode() for answer in whole}
