"""Logs found where they lie, and rotated ones put in the order they were written in."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from f2b_enrich.importing.log_files import log_files
from f2b_enrich.importing.records import UnreadableError


def made(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).write_text(name, "utf-8")


def found(*paths: Path) -> list[str]:
    return [path.name for path in log_files(paths)]


NUMBERED = [
    "fail2ban.log.10.gz",
    "fail2ban.log.9.xz",
    "fail2ban.log.2.gz",
    "fail2ban.log.1",
    "fail2ban.log",
]
DATED = [
    "fail2ban.log-20180812.gz",
    "fail2ban.log-20180820",
    "fail2ban.log-20180820-1534",
    "fail2ban.log.old",
    "fail2ban.log",
]
DASHED = ["fail2ban.log.2018-08-12.zst", "fail2ban.log.2018-08-20.bz2", "fail2ban.log"]


@pytest.mark.parametrize("names", [NUMBERED, DATED, DASHED])
def test_a_rotated_set_is_read_from_the_oldest_on(
    names: list[str], tmp_path: Path
) -> None:
    made(tmp_path, *names)

    assert found(*(tmp_path / name for name in sorted(names))) == names
    assert found(tmp_path) == names


def test_a_folder_of_all_logs_gives_those_of_fail2ban(tmp_path: Path) -> None:
    made(tmp_path, "auth.log", "fail2ban.log", "Fail2ban.log.1", "syslog")
    (tmp_path / "fail2ban.d").mkdir()

    assert set(found(tmp_path)) == {"Fail2ban.log.1", "fail2ban.log"}


def test_a_folder_of_logs_with_other_names_gives_them_all(tmp_path: Path) -> None:
    made(tmp_path, "web1.log", "web1.log.1.gz", "web2.log-20261121", "README.md")

    assert found(tmp_path) == ["web1.log.1.gz", "web1.log", "web2.log-20261121"]


def test_a_file_named_twice_is_read_once(tmp_path: Path) -> None:
    made(tmp_path, "fail2ban.log")
    (tmp_path / "linked").symlink_to("fail2ban.log")
    log = tmp_path / "fail2ban.log"

    assert found(log, tmp_path / "linked", log, tmp_path) == ["fail2ban.log"]


def test_sets_stand_in_the_order_in_which_they_were_named(tmp_path: Path) -> None:
    made(tmp_path, "b.log", "a.log", "a.log.1")

    paths = [tmp_path / name for name in ("b.log", "a.log", "a.log.1")]

    assert found(*paths) == ["b.log", "a.log.1", "a.log"]


def test_a_named_pipe_may_be_named(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")

    assert found(tmp_path / "pipe") == ["pipe"]


def test_what_may_not_be_looked_at_is_left_to_who_reads_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "is_file", os.path.isfile)  # as it is in Python 3.14
    made(tmp_path, "fail2ban.log")
    (tmp_path / "fail2ban.log.1").symlink_to("too-long" * 100)
    (tmp_path / "fail2ban.log.2").symlink_to("missing")
    (tmp_path / "fail2ban.log.3").symlink_to("fail2ban.log.3")

    assert found(tmp_path) == ["fail2ban.log.1", "fail2ban.log"]


def test_a_name_that_is_no_text_is_a_name(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"fail2ban.log.\xff\n")
    path.touch()

    assert log_files([tmp_path]) == (path,)


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("missing", "No such file"),
        ("empty", "holds no file that is named like a log"),
        ("/dev/zero", "neither a file nor a folder"),
    ],
)
def test_what_holds_no_log_is_named(name: str, problem: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()

    with pytest.raises(UnreadableError, match=problem):
        log_files([tmp_path / name])


def test_a_folder_nobody_may_read_is_named(tmp_path: Path) -> None:
    made(tmp_path, "file")

    with pytest.raises(UnreadableError, match="Not a directory"):
        log_files([tmp_path / "file" / "log"])
