"""The quick way takes mails apart as the full parser does, or leaves them to it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.bounced_reports import reports
from f2b_enrich.importing.mail_letter import MOST_FIELDS
from f2b_enrich.importing.mail_quick import quick
from f2b_enrich.importing.mail_thorough import thorough
from f2b_enrich.mail_parser import MOST_BLANK_LINES, MOST_BOUNDARIES
from tests.old_mails import NOTICE, STATUS, bounced, in_parts, report

ENCLOSED = ("message/rfc822", report())
COMMON = [
    report(),
    bounced(report()),
    in_parts(NOTICE, STATUS, ENCLOSED),
    in_parts(NOTICE, STATUS, ("text/rfc822-headers", report(body=""))),
    in_parts(
        STATUS, ENCLOSED, NOTICE, NOTICE, ("image/png", "x"), kind="multipart/mixed"
    ),
    in_parts(NOTICE, STATUS, ("message/rfc822", in_parts(NOTICE, STATUS, ENCLOSED)))
    .replace("b/1", "b/2", 2)
    .replace("--b/1--\n\n--b/1--", "--b/1--\n\n--b/2--"),
    in_parts(("text/plain; charset=us-ascii", "x"), ("text/html", "y")),
    in_parts(("text/plain-", "x"), ("text/plain", "y")),
    in_parts(NOTICE, ENCLOSED, ("message/rfc822", "Subject: second\n\nx")),
    in_parts(NOTICE).replace('"b/1"', "b1; charset=x;").replace("--b/1", "--b1"),
    in_parts(("message/delivery-status", "Other: x\n")),
    in_parts(("multipart/mixed; boundary=c", "--c\n\nx\n--c--"), ENCLOSED),
    in_parts(("text/plain\nContent-Transfer-Encoding: quoted-printable", "a=\nb=3D=")),
    "Content-Type: multipart/alternative; boundary=a\n\n--a\n\nx\n--a--",
    "Subject: x\nContent-Transfer-Encoding: Quoted-Printable\n\n=41=\n=4=x= \n\n",
    "Subject: x\nContent-Type:\n\nx\n",
    "Subject: x\nContent-Type: Text/Plain; x=y\nContent-Transfer-Encoding: 8bit\n\nx",
    "Subject: x\nContent-Type: text/plain\nContent-Type: text/html\n\nx",
    "Subject: no text",
    "Subject: a\n\tb\n  c\n \n d\nsUBJECT:\n\n",
    "",
]
UNCOMMON = [
    "\n\nSubject: x",
    "From x Sat Nov 21 20:57:35 2026\nSubject: x\n\nx",
    "Subject: x\r\n\r\nx",
    " Subject: x\n\nx",
    "Subject: x\nno field\n\nx",
    "Subject : x\n\nx",
    ": x\n\nx",
    "Subject: x\nContent-Type: text/html\n\nx",
    "Subject: x\nContent-Type: text\n\nx",
    "Subject: x\nContent-Transfer-Encoding: base64\n\neA==",
    'Content-Type: multipart/mixed; boundary="a b"\n\n--a b\n\nx\n--a b--',
    "Content-Type: multipart/mixed; boundary=a; boundary*=b\n\n--a\n\nx\n--a--",
    "Content-Type: multipart/mixed; boundary = a\n\n--a\n\nx\n--a--",
    "Content-Type: multipart/mixed\n\n--a\n\nx\n--a--",
    "Content-Type: multipart/mixed; boundary=a\n\nx\n--a--",
    "Content-Type: multipart/mixed; boundary=a\n\n--ab\n\nx\n--a--",
    "Content-Type: multipart/mixed; boundary=a\n\n--a \n\nx\n--a--",
    "Content-Type: multipart/mixed; boundary=a\n\n--a\n\nx\n--a--b\n\ny\n--a--",
    "Content-Type: multipart/mixed; boundary=a\n\n--a\n--a\n\nx\n--a--",
    "Content-Type: multipart/mixed; boundary=a\n\n--a\nno field\n\nx\n--a--",
    "Content-Type: multipart/related; boundary=a\n\n--a\n\nx\n--a--",
    in_parts(("multipart/mixed; boundary=c", "--c\nno field\n\nx\n--c--")),
    in_parts(("message/partial", "x")),
    in_parts(("text/plain\nContent-Transfer-Encoding: base64", "eA==")),
    in_parts(("text/rfc822-headers\nContent-Transfer-Encoding: base64", "eA==")),
    in_parts(("message/rfc822", "no field\n\nx")),
    in_parts(("message/rfc822", "From x\nSubject: x\n\nx")),
    in_parts(("message/delivery-status", "\nReporting-MTA: dns; x\n")),
    in_parts(("message/delivery-status", "no field\nReporting-MTA: dns; x\n")),
    f"Subject: x\n\n{'boundary=x' * (MOST_BOUNDARIES + 1)}",
    "Subject: x\n" + "\n\nx" * (MOST_BLANK_LINES + 1),
    in_parts(("text/plain-", "x"), ("multipart/mixed", "x")),
]


@pytest.mark.parametrize("mail", COMMON, ids=range(len(COMMON)))
def test_common_forms_need_no_parser(mail: str) -> None:
    data = mail.encode()
    assert quick(data) == thorough(data)


@pytest.mark.parametrize("mail", UNCOMMON, ids=range(len(UNCOMMON)))
def test_what_could_be_read_otherwise_is_left_to_the_parser(mail: str) -> None:
    data = mail.encode()
    assert quick(data) is None
    thorough(data)


def test_what_is_enclosed_is_taken_apart_too() -> None:
    letter = quick(in_parts(NOTICE, STATUS, ENCLOSED).encode())
    assert letter is not None
    assert letter.enclosed == quick(report().encode())
    assert letter.reporter == b"mx.admins.example"
    assert letter.text == NOTICE[1].strip().encode()


def test_of_many_fields_of_one_name_the_topmost_are_kept() -> None:
    head = "".join(f"Received: {number}\n" for number in range(MOST_FIELDS * 2))
    letter = quick(f"{head}\nx".encode())
    assert letter == thorough(f"{head}\nx".encode())
    assert letter is not None
    numbers = tuple(b"%d" % number for number in range(MOST_FIELDS))
    assert letter.fields == {b"received": numbers}


def test_generated_bounces_are_the_same_both_ways() -> None:
    quickly = 0
    for made in reports(500, seed=3):
        letter = quick(made.mail)
        if letter is not None:
            assert letter == thorough(made.mail)
            quickly += 1
    assert quickly > 400


PIECES = st.sampled_from(
    [
        *("\n", "\n\n", " ", "\t", ":", "-", "--", "--b", "\n--b\n", "\n--b--\n", "x"),
        *(
            "Subject: x\n",
            "Content-Type: ",
            "multipart/report",
            "; boundary=b",
            "text/",
        ),
        *(
            "mixed",
            "alternative",
            "; boundary=c",
            "\n--c\n",
            "=3D",
            "=\n",
            "quoted-printable",
        ),
        *("plain", "message/rfc822", "message/delivery-status", "text/rfc822-headers"),
        *("Reporting-MTA: dns; x\n", "\nContent-Transfer-Encoding: ", "base64", "7bit"),
        *("From x\n", "\r\n", "\r", "\0", "é", '"', "\u2028", "\x0c", "\x1c"),
    ]
)


@given(st.lists(PIECES, max_size=40).map("".join))
def test_whatever_is_taken_quickly_is_what_the_parser_takes(mail: str) -> None:
    data = mail.encode()
    letter = quick(data)
    assert letter is None or letter == thorough(data)


@given(
    st.lists(PIECES, max_size=12).map("".join),
    st.lists(PIECES, max_size=12).map("".join),
    st.sampled_from(COMMON),
    st.integers(0, 1500),
)
def test_whatever_is_put_into_common_mail(
    first: str, second: str, mail: str, place: int
) -> None:
    data = f"{first}{mail[:place]}{second}{mail[place:]}".encode()
    letter = quick(data)
    assert letter is None or letter == thorough(data)


def test_every_real_bounce_is_the_same_both_ways() -> None:
    folder = Path(os.environ.get("F2B_ENRICH_EXTRA_DATA", ""), "bounces")
    if not folder.is_dir():
        pytest.skip("NOT tested: F2B_ENRICH_EXTRA_DATA has no folder bounces")
    quickly = 0
    for path in (*folder.glob("*.eml"), *folder.glob("*.txt")):
        data = path.read_bytes().replace(b"\r\n", b"\n")
        letter = quick(data)
        if letter is not None:
            assert letter == thorough(data), path.name
            quickly += 1
    assert quickly >= 60
