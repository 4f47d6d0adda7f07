"""`browse` at a terminal: how it begins and ends."""

from __future__ import annotations

import contextlib
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from tests.browsing import PROGRAM, Reader, serving
from tests.report_events import OCTOBER, ReportStore, Told

if TYPE_CHECKING:
    from pathlib import Path

ENDLESS = (
    "with recursive a(n) as (select 1 union all select n + 1 from a) "
    "select count(*) from a"
)


@pytest.fixture
def store(tmp_path: Path) -> ReportStore:
    made = ReportStore(tmp_path / "bans.db")
    made.add([Told(ip="192.0.2.1", at=OCTOBER)])
    return made


def test_ctrl_c_ends_it(store: ReportStore) -> None:
    with serving(store.path, "--port", "0") as served:
        assert Reader(served.root).get("/").code == 403
        served.process.send_signal(signal.SIGINT)
        out, err = served.process.communicate(timeout=20)

    assert served.process.returncode == 0
    assert out == ""
    assert err == "f2b-enrich: the link opens once; Ctrl-C ends it\n"


def test_ctrl_c_waits_for_no_question(store: ReportStore) -> None:
    with serving(store.path, "--port", "0") as served:
        reader = Reader(served.root)
        reader.get(served.link.removeprefix(served.root))
        with ThreadPoolExecutor() as readers:
            asked = [readers.submit(reader.ask, ENDLESS) for _ in range(3)]
            time.sleep(1)  # the third one waits for a thread
            assert not any(each.done() for each in asked)
            served.process.send_signal(signal.SIGINT)
            out, err = served.process.communicate(timeout=5)

    assert served.process.returncode == 0
    assert (out, err) == ("", "f2b-enrich: the link opens once; Ctrl-C ends it\n")


def browse(
    *words: str, begin: str = "", who: tuple[str, ...] = ()
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*who, sys.executable, "-c", begin + PROGRAM, "browse", *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_a_port_in_use_is_one_line(store: ReportStore) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        done = browse("--db", str(store.path), "--port", port)

    assert done.returncode == 1
    assert done.stderr == (
        f"f2b-enrich: browse: 127.0.0.1:{port}: Address already in use; "
        "--port 0 takes any that is free\n"
    )


def test_without_the_extra_one_line_says_what_is_missing(store: ReportStore) -> None:
    begin = "import sys; sys.modules['datasette'] = None; "
    done = browse("--db", str(store.path), begin=begin)

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "f2b-enrich: browse needs Datasette: ./install.sh --with browse\n"
    )


def test_a_store_that_it_may_not_write_beside_is_one_line(
    short_folder: Path, as_nobody: tuple[str, ...]
) -> None:
    path = ReportStore(short_folder / "bans.db").path
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
    path.chmod(0o644)
    done = browse("--db", str(path), "--port", "0", who=as_nobody)

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"f2b-enrich: browse: store {path}: attempt to write a readonly database; "
        "it can be browsed while the daemon runs\n"
    )


def test_without_a_store_it_does_not_begin(tmp_path: Path) -> None:
    done = browse("--db", str(tmp_path / "none.db"))

    assert done.returncode == 1
    assert "there is none yet, the daemon makes it" in done.stderr
