"""The daemon's socket: systemd's, or its own, and never somebody else's."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from f2b_enrich.daemon.listening import SocketError, listening

if TYPE_CHECKING:
    from pathlib import Path

AS_SYSTEMD_STARTS_IT = """
import os, pathlib, sys
from f2b_enrich.daemon.listening import SocketError, listening
descriptor = int(sys.argv[2])
if descriptor != 3:
    os.dup2(descriptor, 3)
environ = {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": sys.argv[3]}
try:
    with listening(pathlib.Path(sys.argv[1]), environ) as listener:
        print(listener.getsockname(), flush=True)
        peer, _ = listener.accept()
        with peer:
            peer.sendall(peer.recv(100))
except SocketError as exc:
    print(exc)
"""


@pytest.fixture
def path(short_folder: Path) -> Path:
    return short_folder / "run" / "x.sock"


def leave_a_dead_socket(path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    with socket.socket(socket.AF_UNIX) as gone:
        gone.bind(str(path))


def refused(path: Path) -> str:
    with pytest.raises(SocketError) as why:
        listening(path, {}).__enter__()
    return str(why.value)


def can_be_reached(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as peer:
        return peer.connect_ex(str(path)) == 0


def test_its_own_socket_is_for_owner_and_group_and_goes_at_the_end(path: Path) -> None:
    before = os.umask(0)
    try:
        with listening(path, {}):
            assert stat.S_IMODE(path.stat().st_mode) == 0o660
            assert can_be_reached(path)
            assert os.umask(0) == 0
    finally:
        os.umask(before)
    assert not path.exists()
    assert path.parent.is_dir()


def test_the_socket_of_a_daemon_that_is_gone_is_replaced(path: Path) -> None:
    leave_a_dead_socket(path)
    assert not can_be_reached(path)
    with listening(path, {}):
        assert can_be_reached(path)


def test_the_socket_of_a_daemon_that_lives_is_left_alone(path: Path) -> None:
    with listening(path, {}):
        assert refused(path) == f"socket {path}: another daemon listens there"
        assert can_be_reached(path)


@pytest.mark.timeout(20)
def test_a_daemon_whose_queue_is_full_lives(path: Path) -> None:
    path.parent.mkdir()
    with ExitStack() as stack:
        busy = stack.enter_context(socket.socket(socket.AF_UNIX))
        busy.bind(str(path))
        busy.listen(0)
        waiting = stack.enter_context(socket.socket(socket.AF_UNIX))
        waiting.connect(str(path))
        assert refused(path).startswith(f"socket {path}: ")
        assert path.is_socket()


@pytest.mark.parametrize("kind", ["file", "folder", "pipe", "link", "dangling link"])
def test_what_is_no_socket_is_left_alone(path: Path, kind: str) -> None:
    path.parent.mkdir()
    if kind == "file":
        path.write_text("mine")
    elif kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        target = path.with_name("target")
        if kind == "link":
            leave_a_dead_socket(target)
        path.symlink_to(target)
    assert refused(path) == (f"socket {path}: a file that is no socket is in the way")
    assert os.path.lexists(path)


def test_a_path_that_is_too_long_or_closed_is_named(path: Path) -> None:
    long = path.parent / ("x" * 108)
    assert refused(long) == f"socket {long}: AF_UNIX path too long"
    path.parent.rmdir()
    path.parent.touch()
    assert refused(path) == f"socket {path}: File exists"


def test_a_socket_that_replaced_its_own_stays(path: Path) -> None:
    with ExitStack() as stack:
        with listening(path, {}):
            path.rename(path.with_name("moved"))
            other = stack.enter_context(socket.socket(socket.AF_UNIX))
            other.bind(str(path))
            other.listen()
        assert can_be_reached(path)


def test_a_socket_that_is_gone_already_is_no_error_at_the_end(path: Path) -> None:
    with listening(path, {}):
        path.unlink()


def started_by_systemd(
    path: Path, descriptor: int, count: str
) -> subprocess.Popen[str]:
    return subprocess.Popen(
        (sys.executable, "-c", AS_SYSTEMD_STARTS_IT, path, str(descriptor), count),
        stdout=subprocess.PIPE,
        text=True,
        pass_fds=(descriptor,),
    )


def test_systemds_socket_is_used_and_stays_at_the_end(path: Path) -> None:
    path.parent.mkdir()
    with socket.socket(socket.AF_UNIX) as handed:
        handed.bind(str(path))
        handed.listen()
        with started_by_systemd(path, handed.fileno(), "1") as daemon:
            assert daemon.stdout is not None
            assert daemon.stdout.readline() == f"{path}\n"
            with socket.socket(socket.AF_UNIX) as peer:
                peer.settimeout(20)
                peer.connect(str(path))
                peer.sendall(b"hello")
                assert peer.recv(100) == b"hello"
            assert daemon.stdout.read() == ""
            daemon.wait(timeout=20)
            assert daemon.returncode == 0
        assert can_be_reached(path)  # queued for the next start


def test_more_sockets_than_one_are_not_guessed_at(path: Path) -> None:
    path.parent.mkdir()
    with (
        socket.socket(socket.AF_UNIX) as handed,
        started_by_systemd(path, handed.fileno(), "2") as daemon,
    ):
        answer, _ = daemon.communicate(timeout=20)
    assert answer == "systemd handed over 2 sockets, expected 1\n"


def test_a_descriptor_that_is_no_socket_is_named(path: Path) -> None:
    path.parent.mkdir()
    with (
        (path.parent / "file").open("w") as file,
        started_by_systemd(path, file.fileno(), "1") as daemon,
    ):
        answer, _ = daemon.communicate(timeout=20)
    assert answer == (
        "the socket systemd handed over: Socket operation on non-socket\n"
    )


@pytest.mark.parametrize(
    "environ",
    [
        {"LISTEN_FDS": "1"},
        {"LISTEN_FDS": "1", "LISTEN_PID": "1"},
        {"LISTEN_FDS": "", "LISTEN_PID": str(os.getpid())},
        {"LISTEN_FDS": "x", "LISTEN_PID": str(os.getpid())},
    ],
)
def test_sockets_meant_for_another_process_are_not_taken(
    path: Path, environ: dict[str, str]
) -> None:
    with listening(path, environ) as listener:
        assert listener.getsockname() == str(path)
