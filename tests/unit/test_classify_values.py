"""Values of all kinds come out of lines whole, and no others are made up."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from f2b_enrich.classify.matching import Matcher
from f2b_enrich.classify.observed import MOST_VALUES, Observer
from f2b_enrich.classify.rules import KINDS, Rule, shipped
from f2b_enrich.classify.values import LONGEST_VALUE, is_address

SHIPPED = shipped()
MATCHER = Matcher(SHIPPED)
OBSERVER = Observer(MATCHER)

HOST = "Nov 21 20:13:22 mx"
POSTFIX = (
    f"{HOST} postfix/smtpd[7]: NOQUEUE: reject: RCPT from unknown[192.0.2.7]{{port}}: "
    "454 4.7.1 <{recipient}>: Relay access denied; from=<{sender}> to=<{recipient}> "
    "proto=ESMTP helo=<{helo}>"
)
ACCESS = '192.0.2.7 - - [21/Nov/2026:20:13:22 +0100] "GET {} HTTP/1.1" 404 162 "-" "{}"'

HOSTILE = (
    "x> to=<victim@shop.example",
    "x; from=<a@b.example> to=<c@d.example> proto=ESMTP helo=<e",
    "x> proto=ESMTP helo=<y",
    "x [198.51.100.9]:25 F=<a@b.example> rejected RCPT <c@d.example>: no",
    '" 404 1 "-" "fake',
    '", client: 198.51.100.9, server: x, request: "GET /fake HTTP/1.1',
    '"] [uri "/fake',
    ", relay=x, reject=550 5.7.1 <fake@shop.example>... User unknown",
    "two  words",
    "a: b",
    "\x1b[31m\ufffd\u2400\u202e",
)


def values(line: str) -> dict[str, str]:
    (matched,) = MATCHER.match([line])
    return dict(OBSERVER.of(matched))


def test_an_envelope_is_read_with_its_port() -> None:
    line = POSTFIX.format(
        port=":40022",
        sender="spameri@tiscali.example",
        recipient="info@shop.example",
        helo="WIN-4TTI4DH7SGH",
    )

    assert values(line) == {
        "sender": "spameri@tiscali.example",
        "recipient": "info@shop.example",
        "helo": "WIN-4TTI4DH7SGH",
        "port": "40022",
    }


@pytest.mark.parametrize("helo", ["192.0.2.7", "[192.0.2.7]", "[IPv6:2001:db8::7]"])
def test_an_address_is_a_helo_for_some(helo: str) -> None:
    assert values(POSTFIX.format(port="", sender="", recipient="a", helo=helo)) == {
        "recipient": "a",
        "helo": helo,
    }


@pytest.mark.parametrize("hostile", HOSTILE)
@pytest.mark.parametrize("kind", ["sender", "recipient", "helo"])
def test_nobody_fakes_another_part_of_an_envelope(kind: str, hostile: str) -> None:
    parts = {"sender": "a@mail.example", "recipient": "b@shop.example", "helo": "pc7"}
    found = values(POSTFIX.format(**parts | {kind: hostile}, port=""))

    assert found in ({}, parts | {kind: hostile})


def test_hostile_values_come_out_whole_or_not_at_all() -> None:
    # They end where a space does, and a request's target where a quotation mark does.
    cut = {("nginx-request", "path"), ("exim-sender", "sender")}
    for rule in SHIPPED:
        for kind in rule.shows.keys() - {"username", "port"}:
            for hostile in HOSTILE:
                sent = hostile
                if rule.name == "modsecurity-uri":  # it writes no others within marks
                    sent = hostile.replace('"', "\\x22")
                line = rule.example.replace(rule.shows[kind], sent)
                found = {
                    one.value
                    for one in Observer([rule]).observe([line])
                    if one.kind == kind
                }
                if (rule.name, kind) in cut:
                    assert all(sent.startswith(value) for value in found)
                else:
                    assert found <= {sent}, (rule.name, kind)


def test_ports_are_numbers() -> None:
    for rule in SHIPPED:
        if "port" in rule.shows:
            line = rule.example.replace(rule.shows["port"], "ssh")
            assert "port" not in values(line), rule.name


@pytest.mark.parametrize(
    ("line", "found"),
    [
        (
            ACCESS.format("/shop?item=7", "curl"),
            {"path": "/shop?item=7", "user_agent": "curl"},
        ),
        (ACCESS.format("/shop", "-"), {"path": "/shop"}),
        (
            "[Mon Jun 18 20:39:09 2007] [error] [client 192.0.2.7] "
            "File does not exist: /var/www/xmlrpc",
            {"path": "/var/www/xmlrpc"},
        ),
        (
            "[Sat Nov 21 20:13:22 2026] [core:error] [pid 7] [client "
            "2001:db8::7:40022] AH00128: File does not exist: /srv/www/a, referer: https://shop.example/",
            {"path": "/srv/www/a"},
        ),
        (
            "[Sat Nov 21 20:13:22 2026] [error] [client 2001:db8::7:4002] "
            "File does not exist: /srv/www/a",
            {"path": "/srv/www/a"},
        ),
        (
            f"{HOST} sshd[7]: Connection closed by 192.0.2.7 port 40022 [preauth]",
            {"port": "40022"},
        ),
        (
            f"{HOST} sshd[7]: Bad protocol version identification 'x from 192.0.2.9 "
            "port 1' from 192.0.2.7 port 40022",
            {"port": "40022"},
        ),
        (
            "2026-11-21 20:13:22 dovecot_login authenticator failed for (pc7) "
            "[192.0.2.7]:40022: 535 Incorrect authentication data (set_id=info)",
            {"username": "info", "helo": "pc7", "port": "40022"},
        ),
    ],
)
def test_what_lines_show(line: str, found: dict[str, str]) -> None:
    assert values(line) == found


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("[2026-11-21 20:13:22] [bob] failed to login from 192.0.2.7:65001", "65001"),
        (
            "[2026-11-21 20:13:22] [bob] failed to login from [2001:db8::7]:65001",
            "65001",
        ),
        ("[2026-11-21 20:13:22] [bob] failed to login from 192.0.2.7", None),
        ("[2026-11-21 20:13:22] [bob] failed to login from 2001:db8::7", None),
        (f"{HOST} dropbear[7]: Bad password attempt for 'bob' from 192.0.2.7:9", "9"),
        (f"{HOST} dropbear[7]: Bad password attempt for 'bob' from 192.0.2.7", None),
        (
            f"{HOST} postfix/smtpd[7]: warning: x[192.0.2.7]: SASL LOGIN "
            "authentication failed: no, sasl_username=bob",
            None,
        ),
        (f"{HOST} sshd[7]: Invalid user bob from 192.0.2.7", None),
    ],
)
def test_a_name_is_shown_with_a_port_or_without(line: str, found: str | None) -> None:
    assert values(line) == {"username": "bob"} | ({"port": found} if found else {})


@pytest.mark.parametrize("sign", ["?P<", "?<"])
def test_both_ways_to_name_a_group_give_values(sign: str) -> None:
    pattern = rf"^own: no ({sign}username>\w+)$"
    rule = Rule(name="own", pattern=pattern, example="", shows={})

    (found,) = Observer([rule]).observe(["own: no bob"])

    assert (found.kind, found.value) == ("username", "bob")


def test_of_a_long_path_the_query_goes_first() -> None:
    path, query = "/" + "a" * 200, "b" * 100

    assert values(ACCESS.format(f"{path}?{query}", "-")) == {"path": path}
    assert values(ACCESS.format(path + query, "-")) == {
        "path": (path + query)[:LONGEST_VALUE]
    }


def test_values_of_a_kind_are_no_more_than_a_limit_and_the_others_stay() -> None:
    lines = [ACCESS.format(f"/{number}", "curl") for number in range(MOST_VALUES + 50)]
    lines += [ACCESS.format("/most", "curl")] * 2

    found = OBSERVER.observe(lines)

    kinds = Counter(one.kind for one in found)
    assert kinds == {"path": MOST_VALUES, "user_agent": 1}
    assert found[0].lines == MOST_VALUES + 52
    assert found[1].value == "/most"


@pytest.mark.parametrize("text", ["192.0.2.7", "::1", "2001:db8::7", "fe80::1%eth0"])
def test_addresses_are_known(text: str) -> None:
    assert is_address(text)


@pytest.mark.parametrize(
    "text", ["", "root", "abba", "1.2", "a.b", "::x", "192.0.2.7."]
)
def test_other_texts_are_none(text: str) -> None:
    assert not is_address(text)


@given(line=st.text(st.characters()))
def test_any_line_gives_each_kind_once(line: str) -> None:
    (matched,) = MATCHER.match([line])

    assert len(dict(matched.values)) == len(matched.values)
    assert all(kind in KINDS and value for kind, value in matched.values)


REAL = {
    "attack-lines/postfix-relay.log": {
        "sender": 2,
        "recipient": 2,
        "helo": 2,
    },
    "attack-lines/http-dos-random-uri.log": {"path": 66, "user_agent": 66},
    "attack-lines/endlessh-syslogs.log": {"port": 12},
    "fail2ban-filter-logs/apache-botsearch": {"path": 19},
    "fail2ban-filter-logs/dropbear": {"username": 6, "port": 9},
}
"""How many lines of real logs show which kinds, counted by reading them."""


@pytest.mark.parametrize("name", REAL)
def test_real_lines_show_what_people_read_in_them(name: str) -> None:
    folder = os.environ.get("F2B_ENRICH_EXTRA_DATA")
    if not folder or not (Path(folder) / name).exists():
        pytest.skip(f"F2B_ENRICH_EXTRA_DATA has no {name}")
    lines = (Path(folder) / name).read_text("utf-8").splitlines()

    found = OBSERVER.observe([line for line in lines if not line.startswith("#")])

    shown: Counter[str] = Counter()
    for one in found:
        shown[one.kind] += one.lines
    assert shown == REAL[name]
