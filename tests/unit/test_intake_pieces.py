"""Parts of files: mailboxes in pieces, logs without a line that is half there."""

from __future__ import annotations

import io
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from f2b_enrich.importing.log_lines import LONGEST_LINE
from f2b_enrich.importing.mail_boxes import BEFORE_MAIL, Mail, mails, mails_between
from f2b_enrich.intake.reading_logs import whole_lines

POSTMARK = b"From a@b.example Thu Jul  1 10:11:10 2010\n"
PARTS = st.lists(
    st.sampled_from(
        [POSTMARK, b"\n", b"\n\n", b"\r\n", b"From nobody\n", b"Subject: x\n", b">From"]
    )
    | st.binary(max_size=5),
    max_size=25,
).map(b"".join)


def piece(data: bytes, start: int, end: int) -> list[Mail]:
    file = io.BytesIO(data)
    file.seek(max(start - BEFORE_MAIL, 0))
    return list(mails_between(file.read, start=start, end=end))


@given(PARTS, st.lists(st.integers(0, 300), max_size=5))
def test_pieces_of_a_mailbox_have_together_what_the_whole_has(
    more: bytes, cuts: list[int]
) -> None:
    data = POSTMARK + more
    inner = sorted({cut for cut in cuts if 0 < cut < len(data)})
    bounds = [0, *inner, len(data)]

    found = [
        mail for start, end in pairwise(bounds) for mail in piece(data, start, end)
    ]

    assert found == list(mails(io.BytesIO(data).read))


@pytest.mark.parametrize("blank", [b"\n", b"\r\n", b"\n\n"])
def test_a_mail_is_in_one_piece_wherever_the_cut_is(blank: bytes) -> None:
    data = blank.join([POSTMARK] * 3)

    whole = list(mails(io.BytesIO(data).read))

    for cut in range(1, len(data)):
        assert piece(data, 0, cut) + piece(data, cut, len(data)) == whole, cut


@given(st.binary(max_size=200), st.integers(1, 50))
def test_a_last_line_without_its_end_is_left_out(data: bytes, size: int) -> None:
    kept = whole_lines(io.BytesIO(data).read, keep_last=True)
    assert b"".join(iter(lambda: kept(size), b"")) == data

    left_out = whole_lines(io.BytesIO(data).read, keep_last=False)
    assert b"".join(iter(lambda: left_out(size), b"")) == data[: data.rfind(b"\n") + 1]


def test_an_overlong_line_is_passed_on_as_it_comes() -> None:
    data = b"x" * (3 * LONGEST_LINE)
    read = whole_lines(io.BytesIO(data).read, keep_last=False)
    assert len(read(2 * LONGEST_LINE)) == 2 * LONGEST_LINE
