"""Names come out of log lines whole, whatever they are made to look like."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from f2b_enrich.classify.matching import MAX_LINE, MOST_REPEATS
from f2b_enrich.classify.observed import Observer
from f2b_enrich.classify.rules import Rule, RuleError, load, shipped
from f2b_enrich.classify.values import LONGEST_VALUE
from f2b_enrich.model import Observed

SHIPPED = shipped()
NAMING = [rule for rule in SHIPPED if "username" in rule.shows]
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
    "pam-remote-and-user",  # with an equals sign, either user's
    "cowrie-login",  # JSON escapes quotation marks
    "grafana-json",
    "teleport-login",
    "postgresql-password",  # a quotation mark in the log's prefix
    "postgresql-role",
    "asterisk-registration",  # a URI between < and >
}


def names(*lines: str, rules: Observer = OBSERVER) -> dict[str, int]:
    """Count the user names only."""
    found = rules.observe(lines)
    return {one.value: one.lines for one in found if one.kind == "username"}


def own(*patterns: str) -> Observer:
    return Observer(
        Rule(name=f"own-{at}", pattern=pattern, example="", shows={})
        for at, pattern in enumerate(patterns)
    )


def test_names_are_counted_most_lines_first_then_as_they_appear() -> None:
    lines = [FAILED.format(name) for name in ("b", "a", "c", "a", "c", "d")]

    assert OBSERVER.observe(lines) == (
        Observed(kind="port", value="9", lines=6),
        *(
            Observed(kind="username", value=value, lines=count)
            for value, count in (("a", 2), ("c", 2), ("b", 1), ("d", 1))
        ),
    )


def test_lines_that_show_nothing_show_nothing() -> None:
    assert OBSERVER.observe([]) == ()
    assert OBSERVER.observe(["", "sshd", f"{STAMP} sshd[7]: Server listening"]) == ()


def test_rules_that_are_too_much_together_are_refused(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(
        RuleError, match=r"^rules 'own-0' to 'own-79' together need more than 4 MiB$"
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

    assert names(line) == {"x rhost=198.51.100.9  user=198.51.100.9": 1}


def test_a_remote_user_beside_a_local_one_is_not_taken_for_it() -> None:
    failed = (
        f"{STAMP} auth: pam_unix(dovecot:auth): authentication failure; logname= uid=0 "
        "euid=0 tty=dovecot ruser={} rhost=192.0.2.7{}"
    )

    assert names(failed.format("info", "  user=bob")) == {"bob": 1}
    assert names(failed.format("x rhost=1  user=root", "")) == {
        "x rhost=1  user=root": 1
    }
    # Whose name it is, nobody can tell.
    assert names(failed.format("x rhost=1  user=root", "  user=bob")) == {}


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
