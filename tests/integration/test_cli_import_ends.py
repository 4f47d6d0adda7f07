"""Imports that are killed, interrupted or whose readers die, and those after them."""

from __future__ import annotations

import multiprocessing
import os
import pty
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bench import old_log
from f2b_enrich.child import ChildError
from f2b_enrich.cli.import_progress import amount
from f2b_enrich.importing.mail_letter import MAX_BYTES
from f2b_enrich.intake.bringing import WORTH_A_PROCESS
from f2b_enrich.intake.naming import Names
from f2b_enrich.intake.processes import read_beside
from f2b_enrich.intake.reading_logs import LogJob
from f2b_enrich.intake.stopping import Stop
from f2b_enrich.store.connection import held_by_daemon
from tests import uncovered
from tests.imports import Imports, imports
from tests.old_mails import report

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

__all__ = ["imports"]

LINES = 2500
DEADLINE = 60.0
MAILS = 24
POSTMARK = "From a@b.example Thu Jul  1 10:11:10 2010\n"


def written(imports: Imports) -> Path:
    log = imports.folder / "fail2ban.log"
    old_log.write(log, LINES, seed=7)
    return log


def bans(store: Path) -> int:
    try:
        with closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as db:
            count: int = db.execute("SELECT count(*) FROM bans").fetchone()[0]
            return count
    except sqlite3.Error:
        return 0  # it is being made


def ended(imports: Imports, log: Path, number: int) -> tuple[int, str]:
    """Start an import, and send it a signal when it has written some bans."""
    words = (sys.executable, "-m", "f2b_enrich", *imports.words("fail2ban-log", log))
    process = subprocess.Popen(
        words, env=uncovered.environ(), stderr=subprocess.PIPE, text=True
    )
    until = time.monotonic() + DEADLINE
    while bans(imports.store) == 0:
        assert time.monotonic() < until
        assert process.poll() is None
    with closing(sqlite3.connect(imports.store, timeout=DEADLINE)) as db:
        db.execute("BEGIN IMMEDIATE")  # it has to wait until the signal is there
        process.send_signal(number)
    _, err = process.communicate(timeout=DEADLINE)
    return process.returncode, err


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_who_is_ended_in_the_middle_goes_on_and_counts_nothing_twice(
    imports: Imports, number: signal.Signals, tmp_path: Path
) -> None:
    log = written(imports)
    # Beside a daemon it takes many transactions.
    with held_by_daemon(imports.store):
        code, err = ended(imports, log, number)
    some = bans(imports.store)

    if number is signal.SIGKILL:
        assert code == -signal.SIGKILL
    else:
        assert code == 1
        assert err.startswith("f2b-enrich: interrupted: ")
        assert err.endswith(" bans new; run the same command again to go on\n")
    rest = imports.facts("fail2ban-log", log)
    whole = Imports(tmp_path / "whole")
    assert rest["bans_new"] == whole.facts("fail2ban-log", log)["bans_new"] - some
    assert 0 < some < bans(whole.store)
    assert imports.content() == whole.content()


def mailbox(*ips: str) -> str:
    """Write mails so large that a few are worth a process."""
    return "".join(
        f"{POSTMARK}{report(f'[Fail2Ban] ssh: banned {ip}', body(ip))}\n" for ip in ips
    )


def body(ip: str) -> str:
    padding = "x" * 63 + "\n"
    return (
        f"Hi,\n\nThe IP {ip} has just been banned by Fail2Ban after\n"
        f"6 attempts against ssh.\n\n{padding * (MAX_BYTES * 3 // 4 // len(padding))}"
    )


def test_a_large_mailbox_is_read_by_other_processes(imports: Imports) -> None:
    box = imports.folder / "reports.mbox"
    box.write_text(mailbox(*(f"192.0.2.{number}" for number in range(MAILS))))
    assert box.stat().st_size > WORTH_A_PROCESS

    tally = imports.facts("mail", box)

    assert tally["read"] == tally["bans_new"] == MAILS
    assert tally["bytes"] == box.stat().st_size


@pytest.mark.parametrize("is_daemon_there", [False, True])
def test_a_mailbox_gives_the_same_packed_piped_and_beside_a_daemon(
    imports: Imports, tmp_path: Path, *, is_daemon_there: bool
) -> None:
    box = imports.folder / "some.mbox"
    box.write_text(mailbox("192.0.2.1", "192.0.2.2", "2001:db8::7"))
    lock: AbstractContextManager[None] = nullcontext()
    if is_daemon_there:
        lock = held_by_daemon(imports.store)
    with lock:
        imports.facts("mail", box)
    piped = Imports(tmp_path / "piped")
    with box.open("rb") as file:
        subprocess.run(
            (sys.executable, "-m", "f2b_enrich", *piped.words("mail", "-")),
            stdin=file,
            check=True,
            stdout=subprocess.DEVNULL,
        )
    assert piped.content() == imports.content()


def test_a_reader_that_dies_is_told_of(tmp_path: Path) -> None:
    pipe = tmp_path / "fail2ban.log"
    os.mkfifo(pipe)
    job = LogJob(logs=((pipe,),), names=Names(host="web1"), now=datetime.now(UTC))

    def kill() -> None:
        with pipe.open("wb"):  # opened when it reads
            (child,) = multiprocessing.active_children()
            assert child.pid is not None
            os.kill(child.pid, signal.SIGKILL)

    stop = Stop()
    killer = threading.Thread(target=kill)
    killer.start()
    with pytest.raises(ChildError, match="killed by signal 9"):
        list(read_beside([job], stop, processes=2))
    killer.join()
    stop.close()
    assert multiprocessing.active_children() == []


def test_a_dry_run_stores_nothing(imports: Imports) -> None:
    log = written(imports)
    done = imports.ran("fail2ban-log", "--dry-run", log)
    assert done.code == 0
    assert "; nothing is stored\n" in done.out
    assert not imports.store.exists()


def test_a_host_and_aliases_name_what_is_stored(imports: Imports) -> None:
    imports.configure(
        'host = "web1"\n[hosts.aliases]\n"old" = "new"\n[jails.aliases]\n"ssh" = "sshd"'
    )
    log = imports.folder / "fail2ban.log"
    line = "{} fail2ban.actions: WARNING [ssh] {} 192.0.2.7\n"
    log.write_text(
        line.format("2010-07-01 10:11:10,000", "Ban")
        + line.format("Jul  2 10:11:10 old", "Ban")
    )
    imports.facts("fail2ban-log", log)
    assert set(imports.rows("SELECT host, jail FROM bans")) == {
        ("web1", "sshd"),
        ("new", "sshd"),
    }
    imports.facts("fail2ban-log", "--host", "web9", log)
    assert imports.rows("SELECT count(*) FROM bans WHERE host = 'web9'") == [(2,)]


@pytest.mark.parametrize("again", [(), ("--again",)])
@pytest.mark.parametrize(
    ("first", "then"),
    [
        ("Europe/Berlin", "UTC"),
        ("Europe/Berlin", None),
        (None, "Europe/Berlin"),
    ],
)
def test_a_log_keeps_its_time_zone(
    imports: Imports,
    monkeypatch: pytest.MonkeyPatch,
    first: str | None,
    then: str | None,
    again: tuple[str, ...],
) -> None:
    monkeypatch.setenv("TZ", "America/New_York")
    log = imports.folder / "fail2ban.log"
    log.write_text("2010-07-01 10:11:10,000 fail2ban.actions: WARNING [a] Ban ::7\n")
    imports.facts("fail2ban-log", *zone(first), log)

    done = imports.ran("fail2ban-log", *zone(then), *again, log)

    assert done.code == 1
    before, now = first or "America/New_York", then or "America/New_York"
    assert done.err == (
        f"f2b-enrich: {log} was read before with the times of {before}, not of {now}: "
        f"name it by --timezone {before}, or read it into another store\n"
    )
    assert imports.rows("SELECT count(*) FROM bans") == [(1,)]
    assert imports.facts("fail2ban-log", *zone(before), *again, log)["bans_new"] == 0


def zone(name: str | None) -> tuple[str, ...]:
    return () if name is None else ("--timezone", name)


def test_hours_of_a_clock_change_are_told(imports: Imports) -> None:
    log = imports.folder / "fail2ban.log"
    line = "2010-{}:30:00,000 fail2ban.actions: WARNING [a] Ban ::7\n"
    log.write_text(line.format("03-28 02") + line.format("10-31 02"))
    tally = imports.facts("fail2ban-log", "--timezone", "Europe/Berlin", log)
    assert (tally["hours_skipped"], tally["hours_shown_twice"]) == (1, 1)

    done = imports.ran("fail2ban-log", "--timezone", "Europe/Berlin", "--again", log)
    assert (
        "clock     1 in an hour that the clock showed twice: the first is taken\n"
        "clock     1 in an hour that the clock skipped: is --timezone right?\n"
    ) in done.out


def test_half_a_line_of_a_log_that_is_written_waits(imports: Imports) -> None:
    log = imports.folder / "fail2ban.log"
    line = "2010-07-01 10:11:10,000 fail2ban.actions: WARNING [a] Ban 192.0.2.{}\n"
    log.write_text(line.format(7) + line.format(17)[:-2])
    assert imports.facts("fail2ban-log", log)["bans_new"] == 1
    log.write_text(line.format(7) + line.format(17))
    assert imports.facts("fail2ban-log", log)["bans_new"] == 1
    assert set(imports.rows("SELECT ip FROM bans")) == {("192.0.2.7",), ("192.0.2.17",)}


def test_what_could_not_be_read_is_shown_harmless(imports: Imports) -> None:
    log = imports.folder / "fail2ban.log"
    log.write_bytes(
        b"2010-07-01 10:11:10,000 fail2ban.actions: WARNING [a] Ban \x1b[2J \xff x\n"
    )
    done = imports.ran("fail2ban-log", "--show-unparsed", log)
    assert done.err == (
        "f2b-enrich: unparsed: 2010-07-01 10:11:10,000 fail2ban.actions: WARNING [a] "
        "Ban \u241b[2J \ufffd x\n"
    )
    assert "unparsed  1\n" in done.out


def test_a_terminal_sees_how_far_it_is(imports: Imports) -> None:
    log = written(imports)
    shown, terminal = pty.openpty()
    with os.fdopen(shown, "rb", buffering=0) as screen:
        done = subprocess.run(
            (sys.executable, "-m", "f2b_enrich", *imports.words("fail2ban-log", log)),
            env=os.environ | {"TERM": "xterm", "COLUMNS": "120"},
            stdout=subprocess.PIPE,
            stderr=terminal,
            check=True,
        )
        os.close(terminal)
        drawn = screen.read(1 << 16)

    assert done.stdout.startswith(f"read      {LINES:,} lines of 1 file\n".encode())
    size = amount(log.stat().st_size).encode()
    assert b" of " + size + b", " in drawn
    assert size + b" read, the last is written" in drawn
    assert b"B/s" in drawn
