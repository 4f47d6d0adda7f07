"""What came into a Maildir since it was looked at last."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from f2b_enrich.importing import maildirs
from f2b_enrich.importing.maildirs import MaildirPlace, look

if TYPE_CHECKING:
    from pathlib import Path

HOUR_NS = 3600 * 1_000_000_000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for part in ("tmp", "new", "cur"):
        (tmp_path / part).mkdir()
    return tmp_path


def deliver(folder: Path, *names: str) -> None:
    for name in names:
        (folder / "tmp" / name).write_bytes(b"Subject: x\n\nx\n")
        (folder / "tmp" / name).rename(folder / "new" / name)


def now_of(folder: Path) -> int:
    """Tell the time as the file system has it, after all that was done."""
    (folder / "clock").touch()
    return (folder / "clock").stat().st_ctime_ns + 1


def new_in(
    folder: Path, place: MaildirPlace, *, later: int = 0
) -> tuple[list[str], MaildirPlace]:
    names = []
    is_all = False
    while not is_all:
        found = look(folder, place, now=now_of(folder) + later)
        names += [waiting.path.name for waiting in found.mails()]
        place, is_all = MaildirPlace.read(found.after.written()), found.is_all
        assert place == found.after
    return names, place


def test_each_mail_comes_once(folder: Path) -> None:
    deliver(folder, "1", "2")
    first, place = new_in(folder, MaildirPlace())
    deliver(folder, "3")
    second, place = new_in(folder, place)

    assert (sorted(first), second) == (["1", "2"], ["3"])
    assert new_in(folder, place)[0] == []


def test_a_mail_that_its_reader_has_seen_is_not_new(folder: Path) -> None:
    deliver(folder, "1")
    _, place = new_in(folder, MaildirPlace())
    (folder / "new" / "1").rename(folder / "cur" / "1:2,S")

    assert new_in(folder, place)[0] == []


def test_old_mail_that_is_moved_here_is_new(folder: Path) -> None:
    old = folder / "1200000000.old:2,S"
    old.write_bytes(b"Subject: old\n\nx\n")
    os.utime(old, (1_200_000_000, 1_200_000_000))
    written_at = old.stat().st_ctime_ns
    while now_of(folder) <= written_at + 1:
        pass  # until the file system's clock has ticked
    place = MaildirPlace(since=written_at + 1)
    old.rename(folder / "cur" / old.name)

    assert new_in(folder, place)[0] == [old.name]


def test_a_quiet_maildir_is_not_listed(folder: Path) -> None:
    deliver(folder, "1")
    # So long ago that nothing can have changed in the same moment.
    _, place = new_in(folder, MaildirPlace(), later=HOUR_NS)
    times = [(folder / part).stat() for part in ("new", "cur")]
    assert place.folders == tuple(about.st_mtime_ns for about in times)
    for part in ("new", "cur"):
        (folder / part).rename(folder / f"{part}-away")
        (folder / part).touch()  # to list it fails
        os.utime(folder / part, ns=(0, (folder / f"{part}-away").stat().st_mtime_ns))

    assert new_in(folder, place, later=HOUR_NS) == ([], place)


def test_what_has_just_changed_is_listed_again(folder: Path) -> None:
    deliver(folder, "1")
    _, place = new_in(folder, MaildirPlace())

    assert place.folders[0] == 0


def test_more_than_one_look_takes(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(maildirs, "MOST_WAITING", 3)
    monkeypatch.setattr(maildirs, "MOST_KEPT", 4)
    names = [f"{number:02}" for number in range(20)]
    deliver(folder, *names)

    found, _ = new_in(folder, MaildirPlace())

    assert sorted(found) == names


def test_an_interrupted_look_goes_on_behind_the_last_mail(folder: Path) -> None:
    deliver(folder, *map(str, range(5)))
    waiting = list(look(folder, MaildirPlace(), now=now_of(folder)).mails())

    rest, _ = new_in(folder, MaildirPlace.read(waiting[1].place.written()))

    assert rest == [each.path.name for each in waiting[2:]]


def test_a_clock_that_was_wrong_loses_nothing(folder: Path) -> None:
    deliver(folder, "1")
    _, ahead = new_in(folder, MaildirPlace(), later=1000 * HOUR_NS)
    deliver(folder, "2")

    assert sorted(new_in(folder, ahead)[0]) == ["1", "2"]


def test_what_is_no_file_is_passed_over(folder: Path) -> None:
    (folder / "new" / "folder").mkdir()
    (folder / "new" / "link").symlink_to("/etc/hostname")
    os.mkfifo(folder / "new" / "pipe")

    assert new_in(folder, MaildirPlace())[0] == []


def test_what_is_no_maildir_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        look(tmp_path, MaildirPlace(), now=1)


STEPS = st.lists(
    st.sampled_from(["deliver", "see", "look", "late look", "interrupted"]), max_size=12
)


@given(steps=STEPS)
def test_whatever_happens_none_is_missed(
    steps: list[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("maildir")
    for part in ("tmp", "new", "cur"):
        (folder / part).mkdir()
    read: list[str] = []
    place, count = MaildirPlace(), 0
    for step in [*steps, "look"]:
        if step == "deliver":
            count += 1
            deliver(folder, str(count))
        elif step == "see":
            for file in list((folder / "new").iterdir()):
                file.rename(folder / "cur" / f"{file.name}:2,S")
        elif step == "interrupted":
            waiting = list(look(folder, place, now=now_of(folder)).mails())[:1]
            read += [each.path.name for each in waiting]
            place = waiting[0].place if waiting else place
        else:
            later = HOUR_NS if step == "late look" else 0
            found, place = new_in(folder, place, later=later)
            read += found

    assert {name.partition(":")[0] for name in read} == set(
        map(str, range(1, count + 1))
    )
