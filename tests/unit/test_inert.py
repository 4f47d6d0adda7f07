"""What an attacker wrote stays on its line, moves nothing and is no link."""

from __future__ import annotations

import re
import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from f2b_enrich.inert import (
    cut,
    defang,
    listed,
    printable,
    without_nul,
    without_secrets,
)

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


UNSEEN = "\u115f\u1160\u2800\u3164\uffa0"


@given(
    st.text(
        st.characters(
            categories=["L", "N", "P", "S"],
            exclude_characters=UNSEEN,
        )
    )
)
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
        # Without a shape, and piled up over the lines above.
        ("a\u3164\u2800\ufe0fb", "a\ufffd\ufffd\ufffdb"),
        ("e" + "\u0301" * 6 + "e\u0301", "e" + "\u0301" * 4 + "\ufffd\ufffde\u0301"),
        ("\u0301x", "\ufffdx"),
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
        ("www.example.org", "www[.]example[.]org"),
        # What went through a pattern with a word boundary in front.
        ("_http://example.org", "_hxxp://example[.]org"),
        ("\u00e9https://example.org", "\u00e9hxxps://example[.]org"),
        ("x" * 40 + "http://example.org", "x" * 40 + "hxxp://example[.]org"),
        ("_www.example.org", "_www[.]example[.]org"),
        # Without a scheme, but with a path.
        ("see evil.example/x.html", "see evil[.]example/x.html"),
        ("GET //evil.example?a=b.c", "GET //evil[.]example?a=b.c"),
        ("GET /index.php/x of auth.log: 7", "GET /index.php/x of auth.log: 7"),
        ("a.b.evil.example:80/x", "a[.]b[.]evil[.]example:80/x"),
        ("evil.xn--p1ai/x", "evil[.]xn--p1ai/x"),
        (
            "http://example.org/?to=https://example.net",
            "hxxp://example[.]org/?to=hxxps://example[.]net",
        ),
        ("rcpt <a@b.example>,", "rcpt <a[@]b.example>,"),
        ("mailto:a.b+c@\u00fc.example", "mailto:a.b+c[@]\u00fc.example"),
        ("a[@]b.example root@web1 @b.example", "a[@]b.example root@web1 @b.example"),
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
        "@",
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
    assert not re.search(r"[a-z0-9]@[a-z0-9-]{1,63}\.[a-z0-9]", broken, re.IGNORECASE)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("root", "root"),
        ("o'neill", '"o\'neill"'),
        ("a, b", '"a, b"'),
        ("root*", '"root*"'),
        ("root ", '"root "'),
        ("40 more", '"40 more"'),
        ('a"\\', '"a\\"\\\\"'),
        ("", '""'),
    ],
)
def test_a_name_in_a_list_is_one_name(name: str, shown: str) -> None:
    assert listed(name) == shown


@pytest.mark.parametrize(
    ("text", "limit", "short"),
    [("abc", 3, "abc"), ("abcd", 3, "ab\u2026"), ("", 1, ""), ("ab", 1, "\u2026")],
)
def test_text_is_cut_to_a_limit_and_shows_it(text: str, limit: int, short: str) -> None:
    assert cut(text, limit) == short


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("GET http://anna:pw@192.0.2.7/x", "GET http://anna:***@192.0.2.7/x"),
        ("ftp://:p@ss:w0rd@h/", "ftp://:***@h/"),
        ("http://192.0.2.7:8080/a@b", "http://192.0.2.7:8080/a@b"),
        ("GET /?token=abc HTTP/1.1", "GET /?token=*** HTTP/1.1"),
        ("/?a=1&secret=x&b=2", "/?a=1&secret=***&b=2"),
        ("/?PassWord=x;key=y#z", "/?PassWord=***;key=***#z"),
        (
            '"/?user[api_key]=x&user_password=y"',
            '"/?user[api_key]=***&user_password=***"',
        ),
        ("api_key=abc, password=d", "api_key=*** password=***"),
        ("user=root rhost=192.0.2.7 /?page=2", "user=root rhost=192.0.2.7 /?page=2"),
        ("/?token=", "/?token="),
        ("/?user%5Bpassword%5D=x", "/?user%5Bpassword%5D=***"),
        ("/?next=/a%3Ftoken%3Dx HTTP/1.1", "/?next=/a%3Ftoken%3D*** HTTP/1.1"),
        ("access_token[]=x /?pass1='y'", "access_token[]=*** /?pass1='***'"),
        ("/?PHPSESSID=x&a[key]=y&pin=1", "/?PHPSESSID=***&a[key]=***&pin=***"),
        ("authorization: Bearer x.y", "authorization: Bearer ***"),
        # What may be the attack itself.
        ("/?monkey=1&bypass=2&classid=3", "/?monkey=1&bypass=2&classid=3"),
        ("/cb#id_token=x", "/cb#id_token=***"),
        ("https://ghp_x@h.example/", "https://***@h.example/"),
        ("/?zipcode=1&author=x&keyword=y", "/?zipcode=1&author=x&keyword=y"),
    ],
)
def test_what_lets_somebody_in_is_masked(text: str, masked: str) -> None:
    assert without_secrets(text) == masked


@given(st.text(st.sampled_from("abz019.-_%:")), st.sampled_from(["key", "auth_token"]))
def test_no_letter_of_a_secret_is_left(secret: str, name: str) -> None:
    line = f"GET https://u:S{secret}S@h.example/?x=1&{name}=S{secret}S&y=2 HTTP/1.1"
    assert "S" not in without_secrets(line).replace("HTTP", "")


@pytest.mark.parametrize(
    "piece",
    [
        *("://a:", "://a:b", "?key", "?" + "a" * 40, "a@", "a@b-", "http://", "://"),
        *("%3F", "%26[", "a.", "..", "%5B", "authorization: a "),
    ],
)
def test_the_time_taken_grows_no_faster_than_the_text(piece: str) -> None:
    def seconds(length: int) -> float:
        text = (piece * length)[:length]
        runs = []
        for _ in range(3):
            started = time.perf_counter()
            defang(without_secrets(text))
            runs.append(time.perf_counter() - started)
        return min(runs)

    # Quadratic time would make it 256 times as long, linear time makes it 16.
    assert seconds(64_000) < 100 * max(seconds(4_000), 0.0005)
