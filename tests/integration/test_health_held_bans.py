"""What fail2ban says of the bans that it holds, in all the ways it does."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from f2b_enrich.health.fail2ban import Fail2Ban, RefusedError
from f2b_enrich.health.held_bans import HeldBan, HeldList, database_of, held_bans
from tests.fail2ban_clients import client

ASKED = "get sshd banip --with-time"


@pytest.mark.parametrize(
    ("answer", "path"),
    [
        (
            "Current database file is:\n`- /var/lib/f 2b.sqlite3",
            "/var/lib/f 2b.sqlite3",
        ),
        ("Current database file is:\n`- :memory:", None),
        ("Database currently disabled", None),
    ],
)
def test_where_the_database_is(tmp_path: Path, answer: str, path: str | None) -> None:
    program = client(tmp_path, {"get dbfile": answer})

    found = database_of(Fail2Ban((str(program),)))

    assert found == (None if path is None else Path(path))


def held(folder: Path, answer: str) -> HeldList:
    program = client(folder, {ASKED: answer})
    return held_bans(Fail2Ban((str(program),)), ["sshd"])["sshd"]


def local(text: str) -> int:
    return int(datetime.fromisoformat(text).astimezone().timestamp())


def test_bans_with_their_times(tmp_path: Path) -> None:
    answer = (
        "192.0.2.7 \t2026-11-21 20:14:03 + 3600 = 2026-11-21 21:14:03\n"
        "2001:db8::7 \t2026-11-21 20:14:04 + -1 = 9999-12-31 23:59:59"
    )
    at = local("2026-11-21 20:14:03")

    first, second = held(tmp_path, answer).bans

    assert first == HeldBan(ip="192.0.2.7", at=(at,), bantime_seconds=3600)
    assert (second.ip, second.bantime_seconds) == ("2001:db8::7", -1)
    # The fraction is cut off there, and rounded in the time of a ban.
    assert [first.began(at + step) for step in (-1, 0, 1, 2)] == [
        *(False, True, True, False),
    ]


TAIL = " \t2026-11-21 20:14:03 + 3600 = 2026-11-21 21:14:03"


@pytest.mark.parametrize(
    "banned",
    [
        # What splitlines() takes for the end of a line.
        *(f"192.0.2.7{end}x" for end in "\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"),
        "192.0.2.7 \t2026-01-01 00:00:00 + 5 = x",
        f"192.0.2.7{TAIL}",
    ],
)
def test_what_is_banned_may_be_any_text_of_a_log_line(
    tmp_path: Path, banned: str
) -> None:
    (ban,) = held(tmp_path, banned + TAIL).bans

    assert (ban.ip, ban.at) == (banned, (local("2026-11-21 20:14:03"),))


@pytest.mark.parametrize(
    "line",
    [
        "192.0.2.7 192.0.2.8",
        "Sorry but the jail 'sshd' does not exist",
        f"192.0.2.7{TAIL} x",
        "192.0.2.7 \t2026-11-31 20:14:03 + 3600 = 2026-11-31 21:14:03",
        "192.0.2.7 \t0001-01-01 00:00:00 + 3600 = 0001-01-01 01:00:00",
        f"{'x' * 1025}{TAIL}",
    ],
)
def test_a_line_that_tells_of_no_ban_is_counted(tmp_path: Path, line: str) -> None:
    found = held(tmp_path, f"192.0.2.7{TAIL}\n{line}\n192.0.2.8{TAIL}")

    assert [ban.ip for ban in found.bans] == ["192.0.2.7", "192.0.2.8"]
    assert found.unread == 1


def test_no_bans(tmp_path: Path) -> None:
    assert held(tmp_path, "") == HeldList()


def test_what_names_no_database(tmp_path: Path) -> None:
    program = client(tmp_path, {"get dbfile": "\x1b[31m"})
    with pytest.raises(RefusedError):
        database_of(Fail2Ban((str(program),)))
