"""A mail that is made to be expensive is parsed as far as it is cheap."""

from __future__ import annotations

import pytest

from f2b_enrich.mail_parser import (
    LONGEST_TYPE,
    MOST_BLANK_LINES,
    MOST_BOUNDARIES,
    parsed,
)


def parts(data: bytes) -> int:
    message = parsed(data)
    assert message is not None
    return sum(1 for _ in message.walk())


@pytest.mark.parametrize(
    "name",
    [
        b"boundary=b%d",
        b"BOUNDARY = b%d",
        b"boundary*=us-ascii''b%d",
        b"boundary*0=b%d",
        b"boundary*0*=us-ascii''b%d",
        b"boundary\n =b%d",
        b"boundary\r\n\t=b%d",
    ],
)
def test_parts_in_parts_are_few_however_a_boundary_is_written(name: bytes) -> None:
    one = b"Content-Type: multipart/mixed; " + name + b"\n\n--b%d\n"
    nested = b"MIME-Version: 1.0\n" + b"".join(
        one % (number, number) for number in range(200)
    )
    assert parts(nested) <= MOST_BOUNDARIES + 1


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_blank_lines_make_few_messages_of_a_report(end: bytes) -> None:
    data = b"Content-Type: message/delivery-status\n\n" + end * 60_000
    assert parts(data) < 2 * MOST_BLANK_LINES + 10


@pytest.mark.parametrize("fold", [b"", b"\n ", b"\r\n\t", b"\r "])
def test_a_type_is_not_read_when_it_is_endless(fold: bytes) -> None:
    quoted = b'content-type: multipart/mixed; x="' + (b";" * 70 + fold) * 100
    assert len(quoted) > LONGEST_TYPE
    message = parsed(b"Subject: x\n" + quoted + b'"\n\nwords')
    assert message is not None
    assert message.items() == [("Subject", "x")]


def test_a_mail_of_many_lines_is_parsed_to_its_end() -> None:
    data = b"From x\nSubject: y\n\n" + b"a line; of words\n\n" * (MOST_BLANK_LINES - 9)
    message = parsed(data)
    assert message is not None
    assert message["Subject"] == "y"
    assert message.get_payload() == data.partition(b"\n\n")[2].decode()
