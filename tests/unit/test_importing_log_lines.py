"""What one line of fail2ban.log says, whoever wrote it and however it was kept."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from f2b_enrich.importing.log_lines import (
    LONGEST_LINE,
    LONGEST_NAME,
    LineKind,
    read_line,
    yearless,
)
from f2b_enrich.importing.log_times import Yearless
from f2b_enrich.model import FOR_EVER

WALL = datetime(2026, 11, 21, 20, 39, 55)  # noqa: DTZ001 - a wall clock's
MILLI = WALL.replace(microsecond=756_000)
NOVEMBER = Yearless(month=11, day=21, hour=20, minute=39, second=55)
ZONED = datetime(2026, 11, 21, 19, 39, 55, tzinfo=UTC)

PREFIXES = {
    "0.8.4": (b"2026-11-21 20:39:55,756 fail2ban.actions: WARNING ", MILLI, None),
    "0.8.14": (b"2026-11-21 20:39:55,756 fail2ban.actions[12]: WARNING ", MILLI, None),
    "1.0": (
        b"2026-11-21 20:39:55,756 fail2ban.actions        [9365]: NOTICE  ",
        MILLI,
        None,
    ),
    "first, saved by an editor": (
        b"\xef\xbb\xbf2026-11-21 20:39:55,756 fail2ban.actions [9365]: NOTICE  ",
        MILLI,
        None,
    ),
    "syslog": (
        b"Nov 21 20:39:55 web1 fail2ban.actions        [9365]: NOTICE  ",
        NOVEMBER,
        "web1",
    ),
    "syslog, 0.8": (
        b"Nov 21 20:39:55 web1 fail2ban.actions: WARNING ",
        NOVEMBER,
        "web1",
    ),
    "short": (
        b"Nov 21 20:39:55 web1 fail2ban-server[9365]: fail2ban.actions        [9365]: "
        b"NOTICE  ",
        NOVEMBER,
        "web1",
    ),
    "journal target": (b"Nov 21 20:39:55 web1 fail2ban[9365]: ", NOVEMBER, "web1"),
    "short-iso": (
        b"2026-11-21T20:39:55+0100 web1 fail2ban-server[9365]: fail2ban.actions "
        b"[9365]: NOTICE ",
        ZONED,
        "web1",
    ),
    "short-iso, --utc": (
        b"2026-11-21T19:39:55+00:00 web1 fail2ban[9365]: ",
        ZONED,
        "web1",
    ),
    "short-iso-precise": (
        b"2026-11-21T20:39:55.756000+0100 web1 fail2ban[9365]: ",
        ZONED.replace(microsecond=756_000),
        "web1",
    ),
    "short-full": (
        b"Sat 2026-11-21 20:39:55 CET web1 fail2ban[9365]: ",
        WALL,
        "web1",
    ),
    "short-full, --utc": (
        b"Sat 2026-11-21 19:39:55 UTC web1 fail2ban[9365]: ",
        ZONED,
        "web1",
    ),
    "short-unix": (b"1795289995.000000 web1 fail2ban[9365]: ", ZONED, "web1"),
    "rsyslog": (
        b"2026-11-21T20:39:55.756123+01:00 web1 fail2ban.actions[9365]: NOTICE ",
        ZONED.replace(microsecond=756_123),
        "web1",
    ),
    "standard output in the journal": (
        b"2026-11-21T20:39:55+0100 web1 fail2ban-server[9365]: "
        b"2026-11-21 20:39:55,756 fail2ban.actions        [9365]: NOTICE  ",
        ZONED,
        "web1",
    ),
    "docker logs -t": (
        b"2026-11-21T19:39:55.756123456Z 2026-11-21 20:39:55,756 fail2ban.actions"
        b"        [1]: NOTICE  ",
        ZONED.replace(microsecond=756_123),
        None,
    ),
    "no time": (b"fail2ban.actions        [9365]: NOTICE  ", None, None),
}
HEAD = PREFIXES["1.0"][0]


@pytest.mark.parametrize("name", PREFIXES)
def test_a_ban_is_read_behind_every_prefix(name: str) -> None:
    prefix, stamp, host = PREFIXES[name]

    line = read_line(prefix + b"[sshd] Ban 192.0.2.7")

    assert line.kind is LineKind.BAN
    assert (line.jail, line.ip) == ("sshd", "192.0.2.7")
    assert line.stamp == stamp
    assert line.host == host


@pytest.mark.parametrize(
    ("said", "kind", "ip"),
    [
        (b"Ban 2001:db8::7", LineKind.BAN, "2001:db8::7"),
        (b"Ban scanner.example", LineKind.BAN, "scanner.example"),
        (b"Ban 192.0.2.0/24", LineKind.BAN, "192.0.2.0/24"),
        (b"Unban 192.0.2.7", LineKind.UNBAN, "192.0.2.7"),
        (b"Repeal Ban 192.0.2.7", LineKind.UNBAN, "192.0.2.7"),
        (b"Restore Ban 192.0.2.7", LineKind.RESTORED, "192.0.2.7"),
        (b"Reban 192.0.2.7", LineKind.REBANNED, "192.0.2.7"),
        (b"Reban 192.0.2.7, action 'iptables'", LineKind.REBANNED, "192.0.2.7"),
        (b"Found 192.0.2.7", LineKind.FOUND, "192.0.2.7"),
        (b"192.0.2.7 already banned", LineKind.ALREADY_BANNED, ""),
        (b"Ignore 192.0.2.7 by ip", LineKind.IGNORED, ""),
        (b"Ignore 192.0.2.7, expired bantime", LineKind.IGNORED, ""),
        (b"Flush ticket(s) with iptables", LineKind.OTHER, ""),
        (
            b"Found 192.0.2.7, bad - 2026-11-21 20:39:55, 2 # -> 3.0, Ban",
            LineKind.FOUND_BAD,
            "",
        ),
    ],
)
def test_what_happened_to_an_address_is_told(
    said: bytes, kind: LineKind, ip: str
) -> None:
    line = read_line(HEAD + b"[sshd] " + said)

    assert (line.kind, line.ip) == (kind, ip)


def test_a_found_line_keeps_the_day_on_which_it_happened() -> None:
    line = read_line(HEAD + b"[sshd] Found 192.0.2.7 - 2026-11-20 23:59:59")

    assert (line.kind, line.ip, line.day) == (LineKind.FOUND, "192.0.2.7", "2026-11-20")


@pytest.mark.parametrize(
    ("span", "seconds"),
    [
        (b"6s", 6),
        (b"59m 50s", 3590),
        (b"1w 2d 3h", 788_400),
        (b"1y 3w 4d", 33_696_000),
        (b"0", 0),
        (b"soon", None),
    ],
)
def test_a_longer_ban_is_told_with_its_end(span: bytes, seconds: int | None) -> None:
    said = b"[sshd] Increase Ban 192.0.2.7 (2 # " + span + b" -> 2026-11-21 20:52:27)"

    line = read_line(HEAD + said)

    assert (line.kind, line.ip) == (LineKind.PROLONGED, "192.0.2.7")
    assert line.ban_count == 2
    assert line.bantime_seconds == seconds
    assert line.ends == WALL.replace(minute=52, second=27)


def test_a_ban_for_ever_has_no_end() -> None:
    line = read_line(
        HEAD + b"[sshd] Increase Ban 192.0.2.7 (9 # permanent -> infinite)"
    )

    assert line.kind is LineKind.PROLONGED
    assert line.bantime_seconds == FOR_EVER
    assert line.ends is None


@pytest.mark.parametrize("jail", ["SSH brute force", "my [old] jail", "ssh]", "a b]c["])
def test_a_jail_may_hold_blanks_and_brackets(jail: str) -> None:
    line = read_line(HEAD + f"[{jail}] Ban 192.0.2.7".encode())

    assert (line.kind, line.jail, line.ip) == (LineKind.BAN, jail, "192.0.2.7")


@pytest.mark.parametrize(
    "forged",
    [
        HEAD + b"[web] Found x] Ban 203.0.113.5",
        HEAD + b"[web] Found x - [sshd] Ban 203.0.113.5",
        HEAD + b"[web] Ignore x] Ban 203.0.113.5",
        HEAD + b"[web] Ban x y] Ban 203.0.113.5",
        b"Nov 21 20:39:55 web1 sshd[7]: fail2ban.actions[1]: NOTICE [sshd] Ban ::1",
        b"Nov 21 20:39:55 web1 sshd[7]: Invalid user fail2ban[1]: [sshd] Ban ::1",
        b"Nov 21 20:39:55 fail2ban sshd[7]: [sshd] Ban 203.0.113.5",
        b"  [sshd] Ban 203.0.113.5",
        b"[sshd] Ban 203.0.113.5",
        HEAD + b"Failed to execute ban jail 'sshd' [sshd] Ban 203.0.113.5",
        HEAD + b"[sshd] Ban 203.0.113.5\r 192.0.2.7",
        HEAD + b"[sshd] Unban 203.0.113.5 192.0.2.7",
    ],
)
def test_text_that_an_attacker_chose_makes_no_ban(forged: bytes) -> None:
    line = read_line(forged)

    assert line.kind in {
        LineKind.UNREAD,
        LineKind.IGNORED,
        LineKind.FOREIGN,
        LineKind.OTHER,
    }
    assert "203.0.113.5" not in line.ip


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (b"Jail 'sshd' started", LineKind.STARTED),
        (b"Jail 'sshd' stopped", LineKind.STOPPED),
        (b"Jail 'sshd' uses pyinotify {}", LineKind.OTHER),
        (b"", LineKind.OTHER),
        (b"[sshd] Ban", LineKind.OTHER),
        (b"[sshd] Ban ", LineKind.UNREAD),
        (b"[sshd] 192.0.2.7 already banned, it seems", LineKind.OTHER),
        (b"[sshd] Ban " + b"1" * (LONGEST_NAME + 1), LineKind.UNREAD),
    ],
)
def test_other_lines_are_told_apart(said: bytes, kind: LineKind) -> None:
    assert read_line(HEAD + said).kind is kind


def test_an_error_is_one() -> None:
    line = read_line(HEAD.replace(b"NOTICE ", b"ERROR ") + b"Failed to execute ban")

    assert line.kind is LineKind.ERROR


@pytest.mark.parametrize("line", [b"", b"\r", b"   ", b"\t\r"])
def test_blank_lines_are_empty(line: bytes) -> None:
    assert read_line(line).kind is LineKind.EMPTY


def test_of_a_line_that_is_too_long_nothing_is_read() -> None:
    line = HEAD + b"[sshd] Ban 192.0.2.7"

    assert read_line(line.ljust(LONGEST_LINE)).kind is LineKind.UNREAD
    assert read_line(line.ljust(LONGEST_LINE + 1)).kind is LineKind.OVERLONG


def test_names_that_are_no_text_become_text() -> None:
    line = read_line(HEAD + b"[s\0h\xff] Ban \xed\xa0\x80\0")

    assert line.jail == "s\u2400h\ufffd"
    assert line.ip == "\ufffd\ufffd\ufffd\u2400"


@pytest.mark.parametrize(
    "stamp",
    [
        b"0000-01-01 00:00:00,000",
        b"2026-02-30 12:00:00,000",
        b"2026-13-01 12:00:00,000",
        b"2026-11-21 20:39:55+9900",
        b"0001-01-01 00:00:00+0100",
        b"9999-12-31 23:59:59-0100",
    ],
)
def test_a_time_that_there_was_not_is_none(stamp: bytes) -> None:
    line = read_line(stamp + b" fail2ban.actions: WARNING [ssh] Ban 192.0.2.7")

    assert line.kind is LineKind.BAN
    assert line.stamp is None


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"Nov 21 20:39:55 web1 cron[1]: x", NOVEMBER),
        (b"Nov 21 20:39:55" + b" " * LONGEST_LINE, None),
        (b"2026-11-21 20:39:55,756 x", None),
        (b"x", None),
    ],
)
def test_a_year_is_missed_in_whoevers_line(
    line: bytes, expected: Yearless | None
) -> None:
    assert yearless(line) == expected


@given(
    st.sampled_from([b"", *(prefix for prefix, _, _ in PREFIXES.values())]),
    st.lists(
        st.one_of(
            st.binary(max_size=20),
            st.sampled_from(
                [b"[sshd] ", b"Ban ", b"Found ", b"Increase Ban ", b"] ", b" - ", b"\0"]
            ),
        )
    ).map(b"".join),
)
def test_any_bytes_are_a_line(prefix: bytes, rest: bytes) -> None:
    line = read_line((prefix + rest).replace(b"\n", b""))

    for text in (line.jail, line.ip, line.host or ""):
        assert "\0" not in text
        text.encode()
    assert bool(line.ip) == bool(line.jail)
