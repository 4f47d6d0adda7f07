"""What an attacker wrote stays on its line, moves nothing and is no link."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from f2b_enrich.inert import cut, defang, printable, without_nul

ANY_TEXT = st.text(st.characters(exclude_categories=()))
"""Surrogates too, which `st.text()` leaves out."""


@given(ANY_TEXT)
def test_no_text_moves_a_cursor_or_breaks_a_line(text: str) -> None:
    shown = printable(text)
    assert len(shown) == len(text)
    assert not [c for c in shown if unicodedata.category(c) in {"Cc", "Cf", "Cs"}]
    assert len(shown.splitlines()) <= 1
    shown.encode()


@given(ANY_TEXT)
def test_making_text_printable_twice_changes_nothing_more(text: str) -> None:
    assert printable(printable(text)) == printable(text)


@given(st.text(st.characters(categories=["L", "N", "P", "S"])))
def test_what_is_harmless_stays_as_it_is(text: str) -> None:
    assert printable(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mroot\x07", "\u241b[31mroot\u2407"),
        ("a\r\nBcc: b", "a\u240d\u240aBcc: b"),
        ("a\tb\u00a0c\u2028d\x85e", "a b c d e"),
        ("nul\0del\x7f", "nul\u2400del\u2421"),
        ("\x9b2J", "\ufffd2J"),
        ("\u202egpj.exe", "\ufffdgpj.exe"),
        ("\ud83d", "\ufffd"),
        ("Jos\u00e9 \u4e2d", "Jos\u00e9 \u4e2d"),
    ],
)
def test_what_is_not_printable_is_shown_as_a_picture(text: str, shown: str) -> None:
    assert printable(text) == shown


@given(st.text(st.sampled_from("\0a\n")))
def test_nul_is_shown_and_all_else_kept(text: str) -> None:
    assert "\0" not in without_nul(text)
    assert without_nul(text).replace("\u2400", "\0") == text


@pytest.mark.parametrize(
    ("text", "broken"),
    [
        ("http://192.0.2.1/a.b", "hxxp://192[.]0[.]2[.]1/a[.]b"),
        ("HTTPS://example.org", "HxxPS://example[.]org"),
        ("see <http://example.org>, ok.", "see <hxxp://example[.]org>, ok."),
        ('"http://example.org/x" 1.5', '"hxxp://example[.]org/x" 1.5'),
        ("ftp://example.org", "ftp[:]//example[.]org"),
        ("www.example.org", "www[.]example.org"),
        # What went through a pattern with a word boundary in front.
        ("_http://example.org", "_hxxp://example[.]org"),
        ("\u00e9https://example.org", "\u00e9hxxps://example[.]org"),
        ("x" * 40 + "http://example.org", "x" * 40 + "hxxp://example[.]org"),
        ("_www.example.org", "_www[.]example.org"),
        (
            "http://example.org/?to=https://example.net",
            "hxxp://example[.]org/?to=hxxps://example[.]net",
        ),
        ("matthttp://example.org", "matthxxp://example[.]org"),
        ("GET / HTTP/1.1 from 192.0.2.1", "GET / HTTP/1.1 from 192.0.2.1"),
    ],
)
def test_a_link_can_be_read_and_not_followed(text: str, broken: str) -> None:
    assert defang(text) == broken


PIECES = st.sampled_from(
    [
        "http",
        "https",
        "ftp",
        "://",
        "www.",
        "example.org",
        "tt",
        "_",
        " ",
        "/",
        "<",
        "x",
    ]
)


@given(st.lists(PIECES).map("".join) | st.text())
def test_no_link_is_left_in_any_text(text: str) -> None:
    broken = defang(text)
    assert not re.search(r"(https?|ftp)://|www\.\S", broken, re.IGNORECASE)


@pytest.mark.parametrize(
    ("text", "limit", "short"),
    [("abc", 3, "abc"), ("abcd", 3, "ab\u2026"), ("", 1, ""), ("ab", 1, "\u2026")],
)
def test_text_is_cut_to_a_limit_and_shows_it(text: str, limit: int, short: str) -> None:
    assert cut(text, limit) == short
