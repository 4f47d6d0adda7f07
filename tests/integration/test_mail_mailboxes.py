"""Mailboxes as mail servers, readers and log rotation leave them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from f2b_enrich.mail import mailboxes
from f2b_enrich.mail.bounces import MAX_BYTES
from f2b_enrich.mail.mailboxes import Place, further_mails, new_mails

if TYPE_CHECKING:
    from pathlib import Path

SOON = 4_000_000_000.0
"""A time at which whatever was written has settled."""


def mail(number: int, size: int = 0) -> bytes:
    body = b"x" * 70 + b"\n"
    return b"From a@b Sat Nov 21 20:15:00 2026\nSubject: %d\n\n%s\n" % (
        number,
        body * (size // len(body)),
    )


class Box:
    """An mbox that is read again and again."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.place: Place | None = None
        self.read: list[bytes] = []

    def add(self, *mails: bytes) -> None:
        with self.path.open("ab") as file:
            for each in mails:
                file.write(each)

    def look(self, *, now: float = SOON) -> list[int]:
        """Read on; give the numbers of the mails that came."""
        self.read = []
        found = further_mails(self.path, self.read.append, after=self.place, now=now)
        self.place = found.place
        self.is_all = found.is_all
        return [int(each.split(b"Subject: ")[1].split()[0]) for each in self.read]


@pytest.fixture
def box(tmp_path: Path) -> Box:
    return Box(tmp_path / "mbox")


def test_each_mail_of_an_mbox_is_read_once(box: Box) -> None:
    box.add(mail(1), mail(2))
    assert box.look() == [1, 2]
    assert box.look() == []
    box.add(mail(3))
    assert box.look() == [3]
    assert box.read == [mail(3)]


def test_the_last_mail_waits_until_it_is_written(box: Box) -> None:
    box.add(mail(1), mail(2)[:-20])
    just_now = box.path.stat().st_mtime + 1
    assert box.look(now=just_now) == [1]
    assert box.look(now=just_now) == []
    box.add(mail(2)[-20:])
    assert box.look() == [2]
    assert box.read == [mail(2)]


def test_nothing_is_taken_of_an_empty_one_that_is_being_written(box: Box) -> None:
    box.add(b"")
    assert box.look(now=0) == []
    assert box.place == Place()
    box.add(mail(1))
    assert box.look() == [1]


def test_one_that_was_put_aside_is_read_to_its_end(box: Box) -> None:
    box.add(mail(1))
    assert box.look() == [1]
    box.add(mail(2))
    box.path.rename(box.path.with_name("mbox.1"))
    box.add(mail(3))
    assert box.look() == [2, 3]
    assert box.look() == []


def test_one_that_was_copied_and_truncated_is_read_to_its_end(box: Box) -> None:
    box.add(mail(1))
    box.look()
    box.add(mail(2))
    box.path.with_name("mbox.1").write_bytes(box.path.read_bytes())
    box.path.write_bytes(b"")
    assert box.look() == [2]
    box.add(mail(3))
    assert box.look() == [3]


def test_a_reader_that_deletes_mails_hides_no_new_one(box: Box) -> None:
    box.add(mail(1), mail(2, 500))
    box.look()
    # Larger than before, and yet another file.
    box.path.write_bytes(mail(3) + mail(4, 2000) + mail(5))
    assert box.look() == [3, 4, 5]


def test_an_older_file_of_another_kind_is_not_taken_for_it(box: Box) -> None:
    box.add(mail(1, 300))
    box.look()
    box.path.with_name("mbox.1").write_bytes(mail(8, 4000))
    box.path.write_bytes(mail(2))
    assert box.look() == [2]


def test_many_are_read_in_portions(box: Box) -> None:
    count = mailboxes.MAX_MAILS + 7
    box.add(*map(mail, range(count)))
    assert box.look() == list(range(mailboxes.MAX_MAILS))
    assert not box.is_all
    assert box.look() == list(range(mailboxes.MAX_MAILS, count))
    assert box.is_all


def test_portions_of_one_that_was_put_aside_go_before_the_new_one(box: Box) -> None:
    box.add(mail(0))
    box.look()
    count = mailboxes.MAX_MAILS + 3
    box.add(*map(mail, range(count)))
    box.path.rename(box.path.with_name("mbox.1"))
    box.add(mail(9999))
    assert len(box.look()) == mailboxes.MAX_MAILS
    assert box.look() == [*range(mailboxes.MAX_MAILS, count), 9999]


def test_of_a_huge_one_only_the_end_is_read_at_first(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mailboxes, "MAX_READ", 2000)
    box.add(mail(1, 5000), mail(2), mail(3))
    assert box.look() == [2, 3]


def test_of_a_huge_mail_only_the_beginning_is_kept(box: Box) -> None:
    box.add(mail(1, 3 * MAX_BYTES), mail(2))
    assert box.look() == [1, 2]
    assert len(box.read[0]) < 2 * MAX_BYTES


def test_a_word_in_a_long_line_parts_no_mail(box: Box) -> None:
    box.add(mail(1) + b"\n" + b"y" * 65536 + b"From nobody\n\n", mail(2))
    assert box.look() == [1, 2]


def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(OSError, match="no regular file"):
        further_mails(pipe, print, after=None, now=SOON)
    with pytest.raises(FileNotFoundError):
        further_mails(tmp_path / "none", print, after=None, now=SOON)


@pytest.fixture
def maildir(tmp_path: Path) -> Path:
    for part in ("new", "cur", "tmp"):
        (tmp_path / "Maildir" / part).mkdir(parents=True)
    return tmp_path / "Maildir"


def put(path: Path, text: bytes, *, at: float = 1000.0) -> None:
    path.write_bytes(text)
    os.utime(path, (at, at))


def test_each_mail_of_a_maildir_is_read_once_wherever_it_lies(maildir: Path) -> None:
    put(maildir / "new" / "1.a", b"one")
    put(maildir / "cur" / "2.a:2,S", b"two", at=999)
    put(maildir / "tmp" / "3.a", b"half")
    read: list[bytes] = []
    first = new_mails(maildir, read.append, since=0, seen=frozenset())
    assert read == [b"two", b"one"]
    assert first.is_all

    (maildir / "new" / "1.a").rename(maildir / "cur" / "1.a:2,RS")
    put(maildir / "new" / "4.a", b"four")
    new_mails(maildir, read.append, since=0, seen=first.names)
    assert read == [b"two", b"one", b"four"]


def test_old_mail_and_what_is_no_file_stay_unread(maildir: Path) -> None:
    put(maildir / "new" / "1.a", b"old", at=500)
    (maildir / "new" / "2.a").mkdir()
    (maildir / "new" / "3.a").symlink_to("/etc/passwd")
    read: list[bytes] = []
    found = new_mails(maildir, read.append, since=900, seen=frozenset({"9.gone"}))
    assert (read, found.names) == ([], frozenset())


def test_a_full_maildir_is_read_in_portions(maildir: Path) -> None:
    for number in range(mailboxes.MAX_MAILS + 2):
        put(maildir / "new" / f"{number}.a", b"", at=number)
    read: list[bytes] = []
    first = new_mails(maildir, read.append, since=0, seen=frozenset())
    assert not first.is_all
    assert len(read) == mailboxes.MAX_MAILS
    assert new_mails(maildir, read.append, since=0, seen=first.names).is_all
    assert len(read) == mailboxes.MAX_MAILS + 2


def test_mails_that_cannot_be_read_hide_no_other_and_are_tried_again(
    maildir: Path,
) -> None:
    count = mailboxes.MAX_MAILS + 1
    for number in range(count):
        put(maildir / "new" / f"{number}.a", b"closed", at=number)
    put(maildir / "new" / "last.a", b"open")
    read: list[bytes] = []

    def refuse(mail: bytes) -> None:
        if mail == b"closed":
            raise PermissionError(13, "Permission denied")
        read.append(mail)

    first = new_mails(maildir, refuse, since=0, seen=frozenset())
    assert read == [b"open"]
    assert first.problem is not None
    assert (first.is_all, first.names) == (True, frozenset({"last.a"}))
    again = new_mails(maildir, refuse, since=0, seen=first.names)
    assert again.problem is not None

    read.clear()
    mended = new_mails(maildir, read.append, since=0, seen=again.names)
    assert len(read) == mailboxes.MAX_MAILS
    assert mended.problem is None
    new_mails(maildir, read.append, since=0, seen=mended.names)
    assert read == [b"closed"] * count


def test_a_mail_that_a_reader_moves_is_read_the_next_time(maildir: Path) -> None:
    put(maildir / "new" / "1.a", b"one", at=1)
    put(maildir / "new" / "2.a", b"two", at=2)
    read: list[bytes] = []

    def take(mail: bytes) -> None:
        read.append(mail)
        if len(read) == 1:
            (maildir / "new" / "2.a").rename(maildir / "cur" / "2.a:2,S")

    first = new_mails(maildir, take, since=0, seen=frozenset())
    assert read == [b"one"]
    new_mails(maildir, take, since=0, seen=first.names)
    assert read == [b"one", b"two"]


def test_a_maildir_that_is_none_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        new_mails(tmp_path, print, since=0, seen=frozenset())
