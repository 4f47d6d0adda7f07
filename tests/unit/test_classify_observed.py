"""Names come out of log lines whole, whatever they are made to look like."""

from __future__ import annotations

import ipaddress
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from f2b_enrich.classify.matching import MAX_LINE, MOST_REPEATS
from f2b_enrich.classify.observed import LONGEST_VALUE, Observed, Observer
from f2b_enrich.classify.rules import Rule, RuleError, load, shipped

SHIPPED = shipped()
NAMING = [rule for rule in SHIPPED if rule.shows]
OBSERVER = Observer(SHIPPED)

STAMP = "Nov 21 20:13:22 host"
FAILED = (
    STAMP + " sshd[7]: Failed password for invalid user {} from 192.0.2.7 port 9 ssh2"
)
REPEATED = STAMP + " sshd[7]: message repeated {} times: [ {}]"
AGAIN = "Failed password for root from 192.0.2.7 port 9 ssh2"

HOSTILE = (
    "x from 198.51.100.9 port 1 ssh2",
    "root from 198.51.100.9",
    "two  words",
    "it's",
    'a "quoted" name',
    "\x1b[31mred\x1b[0m",
    "x' failed for '198.51.100.9",
    "a] b [198.51.100.9]",
    "x user=198.51.100.9",
    "x, ip=198.51.100.9",
    "<x>, rip=198.51.100.9",
    "a: sshd[1]: Invalid user y from 198.51.100.9 port 1",
    "\ufffd\u2400\u202e",
)

NOT_WHOLE = {
    "audit-account",  # hexadecimal digits stand for a name with quotation marks
    "courier-smtp-login",  # the words of a command of the client
    "cowrie-login",  # JSON escapes quotation marks
    "teleport-login",
    "postgresql-password",  # a quotation mark in the log's prefix
    "postgresql-role",
    "asterisk-registration",  # a URI between < and >
}


def names(*lines: str, rules: Observer = OBSERVER) -> dict[str, int]:
    return {one.value: one.lines for one in rules.observe(lines)}


def own(*patterns: str) -> Observer:
    return Observer(
        Rule(name=f"own-{at}", pattern=pattern, example="", shows={})
        for at, pattern in enumerate(patterns)
    )


def test_names_are_counted_most_lines_first_then_as_they_appear() -> None:
    lines = [FAILED.format(name) for name in ("b", "a", "c", "a", "c", "d")]

    assert OBSERVER.observe(lines) == tuple(
        Observed(kind="username", value=value, lines=count)
        for value, count in (("a", 2), ("c", 2), ("b", 1), ("d", 1))
    )


def test_lines_that_show_nothing_show_nothing() -> None:
    assert OBSERVER.observe([]) == ()
    assert OBSERVER.observe(["", "sshd", f"{STAMP} sshd[7]: Server listening"]) == ()


def test_rules_that_are_too_much_together_are_refused(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(
        RuleError, match=r"^rules 'own-0' to 'own-47' together need more than 4 MiB$"
    ):
        own(*(f"{n}[^a]{{900}}(?P<username>b)" for n in range(300)))
    assert capfd.readouterr() == ("", "")


def test_no_rules_see_nothing() -> None:
    assert Observer(()).observe([FAILED.format("root")]) == ()


@pytest.mark.parametrize("name", ["", "198.51.100.9", "::1", "2001:db8::7"])
def test_an_address_or_nothing_is_no_name(name: str) -> None:
    assert names(FAILED.format(name)) == {}


@pytest.mark.parametrize(
    "line",
    [
        f"{STAMP} sshd[7]: Failed none for <invalid username> from 192.0.2.7 port 9",
        f"{STAMP} postfix/smtpd[7]: warning: unknown[192.0.2.7]: SASL LOGIN "
        "authentication failed: no, sasl_username=(unavailable)",
        'WARNING: Authentication attempt from 192.0.2.7 for user "null" failed.',
        f"{STAMP} login[7]: FAILED LOGIN 1 FROM 192.0.2.7 FOR UNKNOWN, User not known",
        '192.0.2.7 - - [21/Nov/2026:20:13:22 +0100] "GET / HTTP/1.1" 401 17',
        f"{STAMP} dovecot: imap-login: Disconnected (no auth attempts): user=<>, "
        "rip=192.0.2.7",
    ],
)
def test_what_a_program_writes_for_no_name_is_no_name(line: str) -> None:
    assert names(line) == {}


def test_those_words_are_names_where_a_client_gave_them() -> None:
    assert names(FAILED.format("unknown"), FAILED.format("null")) == {
        "unknown": 1,
        "null": 1,
    }


def test_a_successful_login_is_no_attempt() -> None:
    line = f"{STAMP} sshd[7]: Accepted password for root from 192.0.2.7 port 9 ssh2"

    assert names(line) == {}


def test_hostile_names_come_out_whole_or_not_at_all() -> None:
    not_whole = set()
    for rule in NAMING:
        for name in HOSTILE:
            found = names(rule.example.replace(rule.shows["username"], name))
            assert found in ({name: 1}, {}), rule.name
            if not found:
                not_whole.add(rule.name)

    assert not_whole == NOT_WHOLE


def test_a_remote_user_who_plays_pam_does_not_become_an_address() -> None:
    line = (
        f"{STAMP} vsftpd: pam_unix(vsftpd:auth): authentication failure; logname= "
        "uid=0 euid=0 tty=ftp ruser=x rhost=198.51.100.9  user=198.51.100.9 "
        "rhost=192.0.2.7"
    )

    assert names(line) == {"198.51.100.9 rhost=192.0.2.7": 1}


@pytest.mark.parametrize(
    ("message", "name"),
    [
        (
            "Connection closed by invalid user {} 192.0.2.7 port 9 [preauth]",
            "x 1 port 2",
        ),
        ("Invalid user {} from 192.0.2.7", "x from 198.51.100.9"),
        ("User {} from 192.0.2.7 not allowed because listed in DenyUsers", "a from b"),
        ("Failed password for invalid user {} from 192.0.2.7 port 9", "invalid user x"),
        (
            "Failed publickey for {} from 192.0.2.7 port 9 ssh2: ED25519 SHA256:ab/c+d",
            "x from 198.51.100.9 port 1 ssh2: RSA SHA256:x",
        ),
        (
            "pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 "
            "tty=ssh ruser= rhost=192.0.2.7  user={}",
            "x rhost=198.51.100.9  user=y",
        ),
        (
            "PAM 2 more authentication failures; logname= uid=0 euid=0 tty=ssh ruser= "
            "rhost=192.0.2.7  user={}",
            "root",
        ),
    ],
)
def test_sshd_means_the_last_address(message: str, name: str) -> None:
    assert names(f"{STAMP} sshd[7]: {message.format(name)}") == {name: 1}


@pytest.mark.parametrize(
    "before",
    [
        "Nov  2 20:13:22 host sshd[7]: ",
        "2026-11-21T20:13:22.345678+01:00 host sshd-session[7]: ",
        "2026-11-21T20:13:22 host sshd-auth[7]: error: ",
        "host sshd[7]: ",
        '<38>1 2026-11-21T20:13:22+00:00 host.example sshd 7 - [meta sequenceId="1"] ',
        "Nov 21 20:13:22 host sshd[7]: [ID 800047 auth.info] ",
    ],
)
def test_a_program_is_found_behind_what_syslog_puts_before_it(before: str) -> None:
    assert names(before + AGAIN) == {"root": 1}


@pytest.mark.parametrize(
    "line",
    [
        f'192.0.2.7 - - [21/Nov/2026:20:13:22 +0100] "GET /{STAMP} sshd[7]: {AGAIN}',
        f'192.0.2.7 - - [21/Nov/2026:20:13:22 +0100] "sshd[7]: {AGAIN}',
        f"{STAMP} web[7]: not found: sshd[7]: {AGAIN}",
        '192.0.2.7 - - [21/Nov/2026:20:13:22 +0100] "GET / HTTP/1.1" 404 17 "-" '
        '"FATAL:  password authentication failed for user "root"',
        f"{STAMP} postfix/smtpd[7]: warning: helo sshd[7]: {AGAIN}",
    ],
)
def test_a_line_quoted_by_another_program_is_not_read(line: str) -> None:
    assert names(line) == {}


def test_a_repeated_message_counts_as_often_as_it_says() -> None:
    assert names(REPEATED.format(5, AGAIN), FAILED.format("x")) == {"root": 5, "x": 1}


@pytest.mark.parametrize(
    ("times", "counted"), [("0", 1), ("1000", 1000), ("999999999", MOST_REPEATS)]
)
def test_the_number_of_repeats_has_limits(times: str, counted: int) -> None:
    assert names(REPEATED.format(times, AGAIN)) == {"root": counted}


@pytest.mark.parametrize("times", ["-3", "1234567890", "\u0663", "x", ""])
def test_a_repeat_that_cannot_be_read_is_no_repeat(times: str) -> None:
    assert names(REPEATED.format(times, AGAIN)) == {}


def test_a_name_cannot_repeat_its_line() -> None:
    name = "x: message repeated 900 times: [ y"
    line = f"{STAMP} sshd[7]: Connection closed by invalid user {name} 192.0.2.7 port 9"

    assert names(f"{line} [preauth]") == {name: 1}


def test_a_long_value_is_cut() -> None:
    assert names(FAILED.format("\u00e4" * 1000)) == {"\u00e4" * LONGEST_VALUE: 1}


def test_a_long_line_is_read_to_its_limit_only() -> None:
    reader = own("(?P<username>[ab]+)$", "^x*(?P<username>y+)")
    line = "x" * MAX_LINE

    assert names(f"{line[1:]}ab", rules=reader) == {"a": 1}
    assert names(f"{line}a", rules=reader) == {}


def test_a_line_cut_within_a_character_has_whole_characters() -> None:
    line = "x" * (MAX_LINE - 3) + "\U0001f600"

    assert names(line, rules=own("^x*(?P<username>.*)$", "(?P<username>x)")) == {"x": 1}


def test_the_first_rule_that_gives_a_value_gives_it() -> None:
    reader = own("a(?P<username>x?)", "(?:a|(?P<username>b))", "(?P<username>[a-z]+)")

    assert names("ax", rules=reader) == {"x": 1}
    assert names("b", rules=reader) == {"b": 1}
    assert names("az", rules=reader) == {"az": 1}


def test_no_surrogates_come_out() -> None:
    assert names(FAILED.format("a\ud800b\udcff")) == {"a?b?": 1}


def test_control_characters_stay() -> None:
    assert names(FAILED.format("\x1b]0;x\x07\r\x00")) == {"\x1b]0;x\x07\r\x00": 1}


@given(lines=st.lists(st.text(st.characters(codec=None))))
def test_any_text_is_read_without_error(lines: list[str]) -> None:
    for one in OBSERVER.observe(lines):
        assert one.value.encode()


def is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


@given(
    name=st.text(
        st.characters(exclude_categories=["Cs"], exclude_characters="\n"), min_size=1
    ).filter(lambda name: not is_address(name)),
    method=st.sampled_from(["password", "none", "keyboard-interactive/pam"]),
    known=st.sampled_from(["", "invalid user "]),
    tail=st.sampled_from(["", " ssh2", " ssh2 [preauth]"]),
    port=st.integers(1, 65535),
)
def test_sshd_gives_back_any_name(
    name: str, method: str, known: str, tail: str, port: int
) -> None:
    line = (
        f"{STAMP} sshd[7]: Failed {method} for {known}{name} from 192.0.2.7 port {port}"
    )

    assert names(line + tail) == {name[:LONGEST_VALUE]: 1}


REAL: dict[str, dict[str, int]] = {
    "attack-lines/bitwarden-bf.log": {},
    "attack-lines/cpanel_bf_attempt.log": {"cscpanel": 1},
    "attack-lines/grafana-bf.log": {},
    "attack-lines/litespeed-admin-bf.log": {"asdasd": 9},
    "attack-lines/mariadb-bf.log": {"example-user": 9},
    "attack-lines/nginx-mail-bf.log": {
        "admin@example.com": 7,
        "linkinpark@example.com": 1,
        "spanish@example.com": 1,
        "relax@example.com": 1,
        "itw@example.com": 1,
    },
    "attack-lines/opnsense-sshd.log": {"tutu": 10},
    "attack-lines/pgsql-user-enum.log": dict.fromkeys(
        ("zysk", "zyrian", "zymotic", "zymometer", "zymolysis", "zymogenic"), 1
    ),
    "attack-lines/proftpd-user-enum.log": dict.fromkeys(
        ("admin", "asd", "bar", "foo", "foobar", "root"), 1
    ),
    "attack-lines/smb-bf.log": {"toto": 6},
    "attack-lines/ssh-slow-bf.log": {"hadoop": 22},
    "attack-lines/ssh-timeout.log": {},
    "attack-lines/sshd-invalid-bf.log": {"root": 6},
    "attack-lines/teleport-bf.log": {"Bekekrb": 6},
    "attack-lines/vaultwarden-bf.log": {"test@example.com": 10},
    "fail2ban-filter-logs/apache-botsearch": {},
    "fail2ban-filter-logs/centreon": {"admin": 1},
    "fail2ban-filter-logs/courier-smtp": {"admin": 1, "PlcmSpIp@example.com": 1},
    "fail2ban-filter-logs/cyrus-imap": {
        "cyrus@localdomain": 2,
        "administrator": 1,
        "mail0001": 1,
        "pressy@derry": 1,
    },
    "fail2ban-filter-logs/directadmin": {
        "test": 1,
        "admin": 1,
        "user%2Ename": 1,
        "user": 1,
    },
    "fail2ban-filter-logs/dropbear": {"root": 6},
    "fail2ban-filter-logs/drupal-auth": {"drupaladmin": 2, "Jack Sparrow": 1},
    "fail2ban-filter-logs/freeswitch": {
        "201": 3,
        "011448708752617": 1,
        "000972543480510": 1,
        "1001": 1,
        "100": 1,
        "9810972597751739": 1,
        "101": 1,
        "41801148436701961": 1,
    },
    "fail2ban-filter-logs/gitlab": {"admin": 1, "user name": 1},
    "fail2ban-filter-logs/guacamole": {"pippo": 1, "guacadmin": 1},
    "fail2ban-filter-logs/lighttpd-auth": {
        "francois": 1,
        "xxx": 1,
        "test": 2,
        "tester": 1,
        "user1": 1,
    },
    "fail2ban-filter-logs/monit": dict.fromkeys(
        ("foo", "admin", "test1", "test2", "root"), 1
    ),
    "fail2ban-filter-logs/mssql-auth": {
        "Backend": 1,
        "===)jf02h\u00fcas9\u00e4##22f": 1,
        "O'Leary": 1,
    },
    "fail2ban-filter-logs/mysqld-auth": {
        "root": 13,
        "hacker": 2,
        "user": 1,
        "global": 1,
    },
    "fail2ban-filter-logs/nginx-forbidden": {},
    "fail2ban-filter-logs/pam-generic": {
        "an8767": 2,
        "sample-user": 1,
        "root": 1,
        "mark": 1,
        "mailuser": 1,
        "test rhost=192.0.2.151": 1,
        "test rhost=192.0.2.152": 1,
    },
    "fail2ban-filter-logs/proxmox": {"root": 1, "jose": 1},
    "fail2ban-filter-logs/selinux-ssh": {"root": 3, "dan": 2, "sshd": 1},
    "fail2ban-filter-logs/softethervpn": {"bob": 1, "alice": 1},
    "fail2ban-filter-logs/traefik-auth": {"username": 3},
    "fail2ban-filter-logs/vsftpd": {
        "tester": 2,
        "user1": 1,
        "anonymous": 1,
        "test": 1,
        "guest": 1,
        "username": 1,
    },
    "fail2ban-filter-logs/wuftpd": {"root": 1},
    "fail2ban-filter-logs/xrdp": {
        "badtypist": 2,
        "loginjector ip=192.168.0.4 time=123456789\\n[20220407-12:16:59] [INFO ] "
        "AUTHFAIL: user=endinjection": 2,
    },
    "fail2ban-filter-logs/zoneminder": {"username1": 3},
}
"""The names in real lines, counted by reading them."""


@pytest.mark.parametrize("name", REAL)
def test_real_lines_show_the_names_that_people_read_in_them(name: str) -> None:
    folder = os.environ.get("F2B_ENRICH_EXTRA_DATA")
    if not folder:
        pytest.skip("F2B_ENRICH_EXTRA_DATA names no folder with real records")
    file = Path(folder) / name
    if not file.exists():
        pytest.skip(f"{name} is not in F2B_ENRICH_EXTRA_DATA")
    lines = file.read_text("utf-8").splitlines()

    assert names(*(line for line in lines if not line.startswith("#"))) == REAL[name]


def test_an_administrators_rule_is_read_like_ours() -> None:
    text = r"""
[[rule]]
name = "own-door"
pattern = '^door: (?P<username>\w+) knocked$'
example = 'door: bob knocked'
shows = { username = "bob" }
"""
    reader = Observer((*SHIPPED, *load(text, origin="own.toml")))

    assert names("door: bob knocked", FAILED.format("x"), rules=reader) == {
        "bob": 1,
        "x": 1,
    }
