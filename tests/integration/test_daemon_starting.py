"""How the daemon comes up and goes, and what it says when it cannot."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import structlog

from demo.lab import Lab
from tests import cli
from tests.daemons import living, request

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from tests.daemons import Daemon


AS_SYSTEMD = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1")
words = ["-m", "f2b_enrich", "daemon", "--config", sys.argv[2]]
os.execv(sys.executable, [sys.executable, *words])
"""


@pytest.fixture
async def daemon(short_folder: Path) -> AsyncIterator[Daemon]:
    async with living(short_folder) as daemon:
        yield daemon


@pytest.fixture
def lab(short_folder: Path) -> Iterator[Lab]:
    with Lab(short_folder) as lab:
        yield lab


async def test_a_second_daemon_on_the_same_store_is_refused(daemon: Daemon) -> None:
    daemon.configure()
    await daemon.start()
    second = start(daemon.lab)
    assert second.returncode == 1
    assert second.stderr == (
        f"f2b-enrich: store {daemon.lab.store}: another daemon works on it\n"
    )
    await daemon.ban()


async def test_a_second_daemon_on_the_same_socket_is_refused(daemon: Daemon) -> None:
    daemon.configure()
    await daemon.start()
    daemon.configure(store={"path": str(daemon.lab.root / "other.db")})
    second = start(daemon.lab)
    assert second.returncode == 1
    assert second.stderr == (
        f"f2b-enrich: socket {daemon.lab.socket}: another daemon listens there\n"
    )
    await daemon.ban()


@pytest.mark.parametrize(
    ("sections", "problems"),
    [
        (
            {
                "mail": {"recipient": "", "colour": 1},
                "daemon": {"max_connections": 0},
            },
            [
                "daemon.max_connections: input should be greater than or equal to 1",
                "mail.recipient: string should have at least 1 character",
                "mail.colour: no such key",
            ],
        ),
        ({"store": {"path": "/nonexistent/bans.db"}}, ["No such file or directory"]),
        ({"daemon": {"users": ["nobody-here"]}}, ["there is no user 'nobody-here'"]),
        ({"daemon": {"socket": "/run/" + "x" * 200}}, ["AF_UNIX path too long"]),
        ({"daemon": {"socket": "/proc/none/sock"}}, ["No such file or directory"]),
        ({"ipinfo": {"token_file": "/nonexistent"}}, ["No such file or directory"]),
    ],
    ids=["three-keys", "store", "user", "long-socket", "socket", "token"],
)
def test_what_keeps_it_from_starting_is_a_line_each(
    lab: Lab, sections: dict[str, dict[str, object]], problems: list[str]
) -> None:
    lab.write_config(**sections)

    refused = cli.run("daemon", "--config", lab.config)

    structlog.reset_defaults()
    lines = refused.err.splitlines()
    assert refused.code == 1
    assert len(lines) == len(problems), lines
    for line, problem in zip(lines, problems, strict=True):
        assert line.startswith("f2b-enrich: ")
        assert line.endswith(problem)


def test_a_file_that_is_no_toml_keeps_it_from_starting(lab: Lab) -> None:
    lab.config.write_text("[mail\n")
    refused = start(lab)
    assert refused.returncode == 1
    (line,) = refused.stderr.splitlines()
    assert line.startswith(f"f2b-enrich: {lab.config}: ")


def start(lab: Lab) -> subprocess.CompletedProcess[str]:
    """Start a daemon that does not come up; give what it said."""
    words = ("-m", "f2b_enrich", "daemon", "--config", str(lab.config))
    # asyncio's debug mode has a say of its own when the machine is slow.
    environ = {**os.environ, "PYTHONASYNCIODEBUG": ""}
    return subprocess.run(
        [sys.executable, *words],
        env=environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )


def test_systemds_socket_is_used_and_outlives_the_daemon(lab: Lab) -> None:
    lab.write_config(geo={"database": ""})
    with socket.socket(socket.AF_UNIX) as held:
        held.bind(str(lab.socket))
        held.listen()
        # A ban from before the daemon starts waits in the socket's queue.
        early = ask(lab, "192.0.2.1")
        for ip in ("192.0.2.2", "192.0.2.3"):
            with activated(lab, held):
                late = ask(lab, ip)
                assert answer(late).startswith("ok ")
                if early.fileno() >= 0:
                    assert answer(early).startswith("ok ")
            assert lab.socket.is_socket()
    # The journal has the time itself.
    said = (lab.root / "daemon.log").read_text().splitlines()
    lines = [line for line in said if " event=" in line]
    assert lines
    assert all(line.startswith("level=") for line in lines), lines


def ask(lab: Lab, ip: str) -> socket.socket:
    peer = socket.socket(socket.AF_UNIX)
    peer.settimeout(20)
    peer.connect(str(lab.socket))
    peer.sendall(request(IP=ip))
    return peer


def answer(peer: socket.socket) -> str:
    with peer, peer.makefile() as stream:
        return stream.readline()


@contextlib.contextmanager
def activated(lab: Lab, held: socket.socket) -> Iterator[None]:
    """Run a daemon the way systemd does: with the socket as descriptor 3."""
    words = [str(held.fileno()), str(lab.config)]
    with (
        (lab.root / "daemon.log").open("ab") as log,
        subprocess.Popen(
            [sys.executable, "-c", AS_SYSTEMD, *words],
            pass_fds=[held.fileno()],
            env={**os.environ, "JOURNAL_STREAM": "8:1"},
            stderr=log,
        ) as process,
    ):
        try:
            yield
        finally:
            process.terminate()
            assert process.wait(20) == 0, lab.daemon_log()


def test_sigterm_and_sigint_end_it_with_status_0(lab: Lab) -> None:
    lab.write_config(geo={"database": ""})
    for number in (signal.SIGTERM, signal.SIGINT):
        lab.start_daemon()
        assert lab.stop_daemon(number) == 0
        assert not lab.socket.exists()
