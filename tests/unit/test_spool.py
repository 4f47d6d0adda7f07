"""What lies in a spool is listed in order, read with care and set aside."""

from __future__ import annotations

import os
import resource
from pathlib import Path

import pytest

from f2b_enrich import spool
from f2b_enrich.errors import SpoolError
from f2b_enrich.wire import MAX_REQUEST

NOW = 1_800_000_000.0


def put(folder: Path, name: str, *, age: float = 0.0) -> Path:
    file = folder / name
    file.write_bytes(b"V=1\0\0")
    os.utime(file, (NOW - age, NOW - age))
    return file


def open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_files_are_listed_in_the_order_of_their_events(tmp_path: Path) -> None:
    for name in ("00000000000000000010-2-9.ban", "00000000000000000009-7-9.ban"):
        put(tmp_path, name)
    put(tmp_path, "notes.txt")
    (tmp_path / spool.BAD).mkdir()
    assert [file.name for file in spool.waiting(tmp_path, now=NOW)] == [
        "00000000000000000009-7-9.ban",
        "00000000000000000010-2-9.ban",
    ]


def test_an_unfinished_file_is_listed_when_its_client_is_gone(tmp_path: Path) -> None:
    put(tmp_path, "young.tmp", age=60)
    old = put(tmp_path, "old.tmp", age=60.5)
    assert spool.waiting(tmp_path, now=NOW) == (old,)


def test_a_missing_folder_holds_nothing(tmp_path: Path) -> None:
    missing = tmp_path / "missing"
    assert spool.waiting(missing, now=NOW) == ()
    assert spool.backlog(missing) == spool.Backlog(files=0, unreadable=0)


def test_the_backlog_counts_waiting_and_unreadable_files(tmp_path: Path) -> None:
    for name in ("a.ban", "b.ban", "c.tmp", "notes.txt"):
        put(tmp_path, name)
    spool.set_aside(tmp_path / "b.ban")
    assert spool.backlog(tmp_path) == spool.Backlog(files=2, unreadable=1)


def test_a_file_is_read_up_to_the_limit_of_a_request(tmp_path: Path) -> None:
    file = tmp_path / "a.ban"
    file.write_bytes(b"x" * MAX_REQUEST)
    assert spool.read(file, owners=None) == b"x" * MAX_REQUEST
    file.write_bytes(b"x" * (MAX_REQUEST + 1))
    with pytest.raises(SpoolError, match=f"over the limit of {MAX_REQUEST} bytes"):
        spool.read(file, owners=None)


def test_a_file_of_another_user_is_not_read(tmp_path: Path) -> None:
    file = put(tmp_path, "a.ban")
    mine = os.geteuid()
    assert spool.read(file, owners=frozenset({mine})) == file.read_bytes()
    with pytest.raises(SpoolError, match=rf"user {mine} may not report bans"):
        spool.read(file, owners=frozenset({mine + 1}))


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    target = put(tmp_path, "secret")
    link = tmp_path / "a.ban"
    link.symlink_to(target)
    with pytest.raises(SpoolError, match="symbolic links"):
        spool.read(link, owners=None)
    spool.set_aside(link)
    assert target.exists()


@pytest.mark.timeout(20)
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.ban")
    with pytest.raises(SpoolError, match="not a plain file"):
        spool.read(tmp_path / "a.ban", owners=None)


def test_a_folder_among_the_files_leaves_no_descriptor_open(tmp_path: Path) -> None:
    (tmp_path / "a.ban").mkdir()
    before = open_descriptors()
    with pytest.raises(SpoolError, match="Is a directory"):
        spool.read(tmp_path / "a.ban", owners=None)
    assert open_descriptors() == before


def test_a_file_that_is_gone_is_a_spool_error(tmp_path: Path) -> None:
    with pytest.raises(SpoolError, match=r"a\.ban: No such file"):
        spool.read(tmp_path / "a.ban", owners=None)
    with pytest.raises(SpoolError, match=r"a\.ban: No such file"):
        spool.set_aside(tmp_path / "a.ban")


def test_a_folder_is_made_once_and_only_below_one_that_is_there(tmp_path: Path) -> None:
    folder = tmp_path / "spool"
    spool.prepare(folder)
    assert folder.is_dir()
    assert folder.stat().st_mode & 0o007 == 0
    spool.prepare(folder)
    with pytest.raises(SpoolError, match="No such file or directory"):
        spool.prepare(tmp_path / "missing" / "spool")
    put(tmp_path, "file")
    with pytest.raises(SpoolError, match="File exists"):
        spool.prepare(tmp_path / "file")


def test_the_second_spool_is_beside_the_socket(tmp_path: Path) -> None:
    assert spool.beside(tmp_path / "x.sock") == tmp_path / "spool"


def test_an_event_lost_twice_is_one_event_lost(tmp_path: Path) -> None:
    assert spool.lost(tmp_path) == 0
    (tmp_path / spool.LOST).write_bytes(b"IP=192.0.2.7\nIP=192.0.2.7\nIP=192.0.2.8\n")
    assert spool.lost(tmp_path) == 2


def test_what_cannot_be_read_is_not_counted_as_none_lost(tmp_path: Path) -> None:
    (tmp_path / spool.LOST).mkdir()
    assert spool.lost(tmp_path) is None


def test_a_shortage_of_descriptors_is_no_fault_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "1.ban"
    file.write_bytes(b"x")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
    try:
        with pytest.raises(SpoolError, match="Too many open files") as short:
            spool.read(file, owners=None)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert short.value.retryable
    assert spool.read(file, owners=None) == b"x"


def test_a_spool_that_is_made_passes_its_group_on(tmp_path: Path) -> None:
    folder = tmp_path / "spool"
    spool.prepare(folder)
    assert folder.stat().st_mode & 0o7777 == 0o2770
