"""What root does in folders that the daemon's user can write to."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from demo.lab import PROJECT

if TYPE_CHECKING:
    from pathlib import Path

OTHER = 65_534
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="gives files away")


def run(script: str, *words: object) -> str:
    """Run one of the installer's scripts; give what it says, if it fails."""
    program = PROJECT / "packaging" / "lib" / script
    command = [sys.executable, "-I", str(program), *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == bool(done.stderr), done.stderr
    return done.stderr


def test_a_folder_gets_exactly_these_rights(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    folder.chmod(0o2775)

    assert run("rights.py", folder, "750") == ""

    assert stat.S_IMODE(folder.stat().st_mode) == 0o750


@needs_root
@pytest.mark.parametrize("owner", [f"{OTHER}:{OTHER}", "nobody:nogroup"])
def test_a_folder_gets_its_owner_and_keeps_its_bits(tmp_path: Path, owner: str) -> None:
    assert run("rights.py", tmp_path, "2770", owner) == ""

    about = tmp_path.stat()
    assert (about.st_uid, about.st_gid) == (OTHER, OTHER)
    assert stat.S_IMODE(about.st_mode) == 0o2770


@pytest.mark.parametrize("owner", [(), ("no-such-user:root",)])
def test_a_link_or_an_unknown_user_changes_nothing(
    tmp_path: Path, owner: tuple[str, ...]
) -> None:
    folder, link = tmp_path / "folder", tmp_path / "link"
    folder.mkdir(mode=0o755)
    link.symlink_to(folder)
    place = folder if owner else link

    told = run("rights.py", place, "777", *owner)

    assert told.startswith(f"install.sh: rights of {place}: ")
    assert told.count("\n") == 1
    assert stat.S_IMODE(folder.stat().st_mode) == 0o755


def test_only_plain_files_with_one_name_are_moved(tmp_path: Path) -> None:
    source, target = tmp_path / "from", tmp_path / "to"
    source.mkdir()
    target.mkdir()
    outside = tmp_path / "outside"
    outside.write_text("not for the group")
    for folder, name, text in (
        (source, "1.ban", "first"),
        (source, "2.ban", "second"),
        (target, "2.ban", "a piece that a killed run left"),
        (source, "3.tmp", "not whole"),
    ):
        (folder / name).write_text(text)
    (source / "4.ban").symlink_to(outside)
    (source / "5.ban").hardlink_to(outside)
    os.mkfifo(source / "6.ban")
    (source / "7.ban").mkdir()

    assert run("waiting.py", source, target) == ""

    assert {file.name: file.read_text() for file in target.iterdir()} == {
        "1.ban": "first",
        "2.ban": "second",
    }
    assert stat.S_IMODE((target / "1.ban").stat().st_mode) == 0o640
    left = {"3.tmp", "4.ban", "5.ban", "6.ban", "7.ban"}
    assert {file.name for file in source.iterdir()} == left


def test_a_ban_that_does_not_fit_stays_where_it_is_and_leaves_no_piece(
    tmp_path: Path,
) -> None:
    source, target = tmp_path / "from", tmp_path / "to"
    source.mkdir()
    target.mkdir()
    (source / "1.ban").write_bytes(b"x" * 9000)
    script = "ulimit -f 8; exec /usr/bin/python3 -I packaging/lib/waiting.py $0 $1"

    told = subprocess.run(
        ["sh", "-c", script, source, target],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert told.returncode == 1
    assert told.stderr == f"install.sh: {source}: [Errno 27] File too large\n"
    assert list(target.iterdir()) == []
    assert (source / "1.ban").stat().st_size == 9000


@needs_root
def test_a_ban_that_is_moved_keeps_the_one_who_left_it(tmp_path: Path) -> None:
    source, target = tmp_path / "from", tmp_path / "to"
    source.mkdir()
    target.mkdir()
    (source / "1.ban").touch()
    os.chown(source / "1.ban", OTHER, 0)
    os.chown(target, 0, OTHER)

    assert run("waiting.py", source, target) == ""

    about = (target / "1.ban").stat()
    assert (about.st_uid, about.st_gid) == (OTHER, OTHER)


def test_a_spool_that_is_a_link_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)

    told = run("waiting.py", tmp_path / "link", tmp_path)

    assert told.startswith(f"install.sh: {tmp_path}/link: ")
    assert told.count("\n") == 1
