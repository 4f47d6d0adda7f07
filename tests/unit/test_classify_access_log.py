"""The request and the user agent come out of an access log's line, or nothing does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from f2b_enrich.classify.access_log import answered, requested

STAMP = "[21/Nov/2026:20:13:22 +0100]"


def of(line: str) -> tuple[str, str] | None:
    found = requested(line.encode())
    return None if found is None else (found[0].decode(), found[1].decode())


@pytest.mark.parametrize(
    "before",
    [
        "192.0.2.7 - - ",
        "2001:db8::7 - bob ",
        "shop.example:443 192.0.2.7 - - ",
        "192.0.2.7 -  -  ",
        "192.0.2.7 - a[b ",
        '192.0.2.7 - a\\"b ',
        f'192.0.2.7 - {STAMP} \\"GET /fake HTTP/1.1\\" ',
        "192.0.2.7 - a b c ",
        "::1 - - ",
        "2001:db8:: - - ",
        "fe80::1%eth0 - - ",
        "shop.example 2001:db8::7 - - ",
        "[2001:db8::1]:443 192.0.2.7 - - ",
        "client.example - - ",
        "Nov 21 20:13:22 web1 nginx: 192.0.2.7 - - ",
        "2026-11-21T20:13:22+01:00 web1 0123456789ab[7]: 2001:db8::7 - bob ",
    ],
)
def test_the_request_is_found_behind_any_client(before: str) -> None:
    line = f'{before}{STAMP} "GET /shop?item=7 HTTP/1.1" 404 162 "-" "curl/8.5.0"'

    assert of(line) == ("/shop?item=7", "curl/8.5.0")


@pytest.mark.parametrize(
    ("after", "found"),
    [
        ('"GET /a HTTP/1.1" 404 -', ("/a", "")),
        ('"GET /a HTTP/1.1" 404 162 "-" "-"', ("/a", "")),
        ('"GET /a b HTTP/1.1" 404 162 "-" "x y"', ("/a", "x y")),
        ('"GET /a" 200 1', ("/a", "")),
        ('"CONNECT mail.example:25 HTTP/1.1" 405 1', ("mail.example:25", "")),
        ('"GET /\\"x HTTP/1.1" 404 1 "a\\"b" "c\\" "', ('/\\"x', 'c\\" ')),
        ('"GET /\\x22x HTTP/1.1" 404 1 "-" "a" 118 "x"', ("/\\x22x", "a")),
        ('"GET  HTTP/1.1" 400 1', None),
        ('"-" 408 0 "-" "-"', None),
        ('"\\x16\\x03\\x01" 400 157 "-" "-"', None),
        ('"batman" 400 157 "-" "-"', None),
        ("GET /a HTTP/1.1", None),
    ],
)
def test_what_is_asked_for_is_told(after: str, found: tuple[str, str] | None) -> None:
    assert of(f"192.0.2.7 - - {STAMP} {after}") == found


@pytest.mark.parametrize(
    "line",
    [
        "",
        '] "GET / HTTP/1.1" 200 1',
        '192.0.2.7 - - [yesterday] "GET / HTTP/1.1" 200 1',
        '[msg "x"] "GET / HTTP/1.1" 200 1',
        "Nov 21 20:13:22 host sshd[7]: Failed password for root from 192.0.2.7 port 9",
    ],
)
def test_another_line_holds_no_request(line: str) -> None:
    assert of(line) is None


HOSTILE = f'x {STAMP} "GET /evil HTTP/1.1" 200 1 "-" "Agent"'
OTHERS = (
    "Nov 21 20:13:22 host sshd[4711]: Invalid user {} from 192.0.2.7 port 4",
    "Nov 21 20:13:22 host sshd[4711]: User {} from 192.0.2.7 not allowed because shell",
    "2026-11-21T20:13:22.000001+01:00 host sshd[4711]: Invalid user {} from 192.0.2.7",
    "Nov 21 20:13:22 host dovecot: imap-login: Disconnected (auth failed, 1 attempts "
    "in 2 secs): user=<{}>, method=PLAIN, rip=192.0.2.7, lip=203.0.113.4",
    "2026-11-21 20:13:22 login authenticator failed for (mail.example) [192.0.2.7]: "
    "535 Incorrect authentication data (set_id={})",
    "2026-11-21 20:13:22 H=(pc7) [192.0.2.7] F=<{}> rejected RCPT <a@shop.example>",
    "Nov 21 20:13:22 host proftpd[1] f (h[192.0.2.7]): USER {}: no such user",
    "Nov 21 20:13:22 host proftpd[1]: f (h[192.0.2.7]) - USER {} (Login failed)",
    "Nov 21 20:13:22 host postfix/smtpd[7]: NOQUEUE: reject: RCPT from a[192.0.2.7]: "
    "454 4.7.1 <{}>: Relay access denied",
    "Sat Nov 21 20:13:22 2026 [pid 4711] [{}] FAIL LOGIN: Client 192.0.2.7",
    "Sat Nov 21 20:13:22 2026 - [4711] (192.0.2.7) {} - login error - no such user",
    "Nov 21 20:13:22 host HORDE [error] [imp] FAILED LOGIN for {} [192.0.2.7] to",
    "Nov 21 20:13:22 host auth: pam_unix(dovecot:auth): authentication failure; "
    "logname= uid=0 euid=0 tty=dovecot ruser={} rhost=192.0.2.7",
    "2026/11/21 20:13:22 [error] 4711#0: *7 user {} was not found",
    "[21-Nov-2026 20:13:22 +0100]: <4z506z6r> Failed login for {} from 192.0.2.7",
    "2026-11-21 20:13:22.385000 [WARNING] sofia_reg.c:3223 Can't find user [{}@a]",
    "<W>2026-11-21 20:13:22.818 1 => <4:{}(-1)> Rejected connection from 192.0.2.7",
    "[2026-11-21 20:13:22] [{}] failed to login from 192.0.2.7:65001",
)


@pytest.mark.parametrize("line", OTHERS)
@pytest.mark.parametrize("before", ["", "192.0.2.9 - - ", "a.example 192.0.2.9 - "])
def test_a_name_that_looks_like_a_request_is_none(line: str, before: str) -> None:
    assert of(line.format(before + HOSTILE)) is None


ESCAPED = st.text(st.characters(exclude_characters='"\\', exclude_categories=["Cs"]))


@given(path=ESCAPED, agent=ESCAPED, referer=ESCAPED)
def test_what_clients_send_comes_back_whole(
    path: str, agent: str, referer: str
) -> None:
    target = "/" + path.replace(" ", "+")
    line = f'192.0.2.7 - - {STAMP} "GET {target} HTTP/1.1" 404 1 "{referer}" "{agent}"'

    assert of(line) == (target, "" if agent == "-" else agent)


@given(st.binary())
def test_any_bytes_are_read(line: bytes) -> None:
    assert requested(line) is None or line


@pytest.mark.parametrize(
    ("after", "status"),
    [
        ('"GET /a HTTP/1.1" 200 162 "-" "-"', 200),
        ('"GET /a HTTP/1.1" 404 -', 404),
        ('"GET /\\" 200 1 HTTP/1.1" 403 162 "-" "x\\" 200 "', 403),
        ('"GET /a HTTP/1.1"', None),
        ('"\\x16\\x03\\x01" 400 157 "-" "-"', None),
    ],
)
def test_the_status_is_the_servers_own_word(after: str, status: int | None) -> None:
    assert answered(f"192.0.2.7 - - {STAMP} {after}".encode()) == status


def test_another_program_answers_nothing() -> None:
    assert answered(f'login: {STAMP} "GET /a HTTP/1.1" 200 1'.encode()) is None
    assert answered(b'"GET /a HTTP/1.1" 200 1') is None
