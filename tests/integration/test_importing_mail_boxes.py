"""Mails out of real files: mbox of every kind, Maildirs, single ones, packed ones."""

from __future__ import annotations

import gzip
import io
import os
import tracemalloc
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from f2b_enrich.importing import mail_boxes
from f2b_enrich.importing.mail_boxes import BLOCK, Mail, files_in
from f2b_enrich.importing.mail_letter import MAX_BYTES
from f2b_enrich.importing.opening import opened
from f2b_enrich.importing.records import UnreadableError

if TYPE_CHECKING:
    from pathlib import Path

ALLOWED = 16 * BLOCK
"""What any packed file may become, here."""

STAMP = b"From root@web1.example  Sat Nov 21 20:57:35 2026\n"
"""The line that begins a mail in an mbox."""


def written(folder: Path, content: bytes) -> Path:
    path = folder / "box"
    path.write_bytes(content)
    return path


def mails(path: Path, *, start: int = 0) -> list[Mail]:
    with opened(path, start=start, always_allowed=ALLOWED) as source:
        return list(mail_boxes.mails(source.read, start=start))


def contents(path: Path) -> list[bytes]:
    return [mail.content for mail in mails(path)]


def test_an_mbox_is_parted_at_its_stamps(tmp_path: Path) -> None:
    one, two = STAMP + b"Subject: 1\n\nx\n\n", STAMP + b"Subject: 2\n\ny\n"
    found = list(mails(written(tmp_path, one + two)))
    assert found == [
        Mail(content=one, start=0, end=len(one)),
        Mail(content=two, start=len(one), end=len(one) + len(two)),
    ]


@pytest.mark.parametrize(
    "stamp",
    [
        b"From MAILER-DAEMON Sat Nov 21 20:57:35 2026\n",
        b"From - Sat Nov  1 20:57:35 2026\n",
        b"From 12345@xxx Sat Nov 21 20:57:35 +0000 2026\n",
        b"From root@web1.example Sat, 21 Nov 2026 20:57:35 +0000\n",
        b"From root@web1.example Sat Nov 21 20:57 CET 2026\n",
        b'From "somebody with blanks"@x.example Sat Nov 21 20:57:35 2026\n',
    ],
)
def test_stamps_are_of_many_programs(tmp_path: Path, stamp: bytes) -> None:
    mail = stamp + b"Subject: 1\n\nx\n\n"
    assert contents(written(tmp_path, mail * 3)) == [mail] * 3
    with_returns = mail.replace(b"\n", b"\r\n")
    assert contents(written(tmp_path, with_returns * 3)) == [with_returns] * 3


@pytest.mark.parametrize(
    "line",
    [
        b"\nFrom here on it is text\n",
        b"\nFrom Monday to Friday\n",
        b"x\n" + STAMP,
        b"x\r\n" + STAMP,
        b"\n>" + STAMP,
        b"\n " + STAMP,
        b"\nfrom root Sat Nov 21 20:57:35 2026\n",
        b"\nFrom " + b"x" * 1000 + STAMP,
    ],
)
def test_other_lines_begin_no_mail(tmp_path: Path, line: bytes) -> None:
    mail = STAMP + b"Subject: 1\n\nx\n" + line + b"y\n\n"
    assert len(contents(written(tmp_path, mail * 2))) == 2


def test_quoted_lines_are_given_back_as_they_were(tmp_path: Path) -> None:
    mail = STAMP + b"\n>From a\n>>From b\n> From c\nx >From d\n"
    plain = STAMP + b"\nFrom a\n>From b\n> From c\nx >From d\n"
    assert contents(written(tmp_path, mail)) == [plain]


@pytest.mark.parametrize("content", [b"Subject: x\n\nFrom the start\n", b"\0\xff"])
def test_a_file_of_another_kind_is_one_mail(tmp_path: Path, content: bytes) -> None:
    for blank in (b"", b"\n", b"\r\n\r\n"):
        found = mails(written(tmp_path, blank + content))
        end = len(blank + content)
        assert found == [Mail(content=content, start=len(blank), end=end)]


def test_an_empty_file_holds_no_mail(tmp_path: Path) -> None:
    for content in (b"", b"\n\r\n"):
        assert contents(written(tmp_path, content)) == []


def test_reading_goes_on_where_it_ended(tmp_path: Path) -> None:
    box = b"".join(STAMP + b"Subject: %d\n\nx\n\n" % number for number in range(50))
    plain = written(tmp_path, box)
    packed = tmp_path / "box.gz"
    packed.write_bytes(gzip.compress(box))
    whole = list(mails(plain))
    assert len(whole) == 50
    assert list(mails(packed)) == whole
    for number in (0, 1, 25, 49):
        start = whole[number].start
        assert list(mails(plain, start=start)) == whole[number:]
        assert list(mails(packed, start=start)) == whole[number:]
    assert mails(plain, start=len(box)) == mails(packed, start=len(box)) == []


def test_a_stamp_may_lie_across_two_blocks(tmp_path: Path) -> None:
    for ends in (b"\n", b"\r\n"):
        end = (b"x\n\n" + STAMP + b"Subject: 2\n\n").replace(b"\n", ends)
        for shift in range(0, len(end) + 4, 3):
            head = (STAMP + b"Subject: 1\n\n").replace(b"\n", ends)
            filler = b"y" * (BLOCK - len(head) - shift)
            found = list(mails(written(tmp_path, head + filler + end)))
            assert [mail.end - mail.start for mail in found] == [
                len(head) + len(filler) + end.index(b"From"),
                len(end) - end.index(b"From"),
            ]


def test_a_stamp_is_seen_wherever_blocks_end() -> None:
    for ends in (b"\n", b"\r\n"):
        box = (STAMP + b"Subject: 1\n\nx\n\n").replace(b"\n", ends) * 12
        for size in range(1, 900):
            read = partial(_read, io.BytesIO(box), size)
            assert len(list(mail_boxes.mails(read))) == 12


def _read(file: io.BytesIO, size: int, _most: int) -> bytes:
    return file.read(size)


PIECES = st.sampled_from(
    [
        STAMP,
        b"\n",
        b"\r\n",
        b"\r",
        b"From ",
        b">From ",
        b"x",
        b"\n\n",
        b"\0",
        b"y" * 500,
    ]
)


@given(box=st.lists(PIECES, max_size=30).map(b"".join), block=st.integers(1, 2000))
def test_blocks_of_any_size_give_the_same_mails(box: bytes, block: int) -> None:
    def blocks(size: int) -> list[Mail]:
        return list(mail_boxes.mails(partial(_read, io.BytesIO(STAMP + box), size)))

    found = blocks(block)
    assert found == blocks(10**6)
    assert found[0].start == 0
    assert found[-1].end == len(STAMP + box)
    for one, two in pairwise(found):
        assert one.end == two.start


@pytest.mark.parametrize("is_mbox", [True, False])
def test_a_line_without_an_end_takes_no_memory(
    tmp_path: Path, *, is_mbox: bool
) -> None:
    path = tmp_path / "box"
    with path.open("wb") as file:
        file.write(STAMP if is_mbox else b"Subject: x\n\n")
        file.truncate(100 * 1024 * 1024)
    tracemalloc.start()
    found = list(mails(path))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert [len(mail.content) for mail in found] == [MAX_BYTES]
    assert found[0].end == 100 * 1024 * 1024
    assert peak < 8 * BLOCK


def test_what_is_cut_is_followed_by_the_next_mail(tmp_path: Path) -> None:
    long = STAMP + b"\n" + b"x" * (3 * BLOCK) + b"\n\n"
    found = contents(written(tmp_path, long + STAMP + b"\ny\n"))
    assert found == [long[:MAX_BYTES], STAMP + b"\ny\n"]


def test_a_gzip_bomb_ends_with_one_clear_line(tmp_path: Path) -> None:
    path = tmp_path / "box.gz"
    with gzip.open(path, "wb") as file:
        file.write(STAMP)
        for _ in range(50):
            file.write(bytes(BLOCK))
    tracemalloc.start()
    with pytest.raises(UnreadableError, match="times as large unpacked as it is"):
        mails(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8 * BLOCK


def test_a_cut_gzip_file_gives_what_comes_before(tmp_path: Path) -> None:
    box = b"".join(
        STAMP + b"\n%s\n\n" % os.urandom(300).hex().encode() for _ in range(500)
    )
    path = written(tmp_path, gzip.compress(box)[:-9])
    given: list[Mail] = []
    with opened(path) as source, pytest.raises(UnreadableError, match="is cut off"):
        given.extend(mail_boxes.mails(source.read))
    assert len(given) > 400


def test_a_maildir_gives_what_was_delivered(tmp_path: Path) -> None:
    box = tmp_path / "Maildir"
    for folder in (box, box / ".Reports"):
        for part in ("new", "cur", "tmp"):
            (folder / part).mkdir(parents=True)
            (folder / part / f"1.{part}").write_bytes(b"x")
        (folder / "dovecot.index").write_bytes(b"x")
    (box / "cur" / "link").symlink_to(box / "dovecot.index")
    found = {str(path.relative_to(box)) for path in files_in(box)}
    assert found == {
        "new/1.new",
        "cur/1.cur",
        ".Reports/new/1.new",
        ".Reports/cur/1.cur",
    }


def test_a_folder_gives_its_files_and_a_file_itself(tmp_path: Path) -> None:
    (tmp_path / "2014" / "05").mkdir(parents=True)
    for name in ("a.eml", "2014/b.eml", "2014/05/c.eml"):
        (tmp_path / name).write_bytes(b"x")
    found = {str(path.relative_to(tmp_path)) for path in files_in(tmp_path)}
    assert found == {"a.eml", "2014/b.eml", "2014/05/c.eml"}
    assert list(files_in(tmp_path / "a.eml")) == [tmp_path / "a.eml"]


def test_folders_without_end_are_left(tmp_path: Path) -> None:
    deep = tmp_path
    for _ in range(mail_boxes.MOST_DEEP + 2):
        deep /= "d"
        deep.mkdir()
        (deep / "x").write_bytes(b"x")
    assert len(list(files_in(tmp_path))) == mail_boxes.MOST_DEEP
