"""What fail2ban says of the bans that it holds, in all the ways it does."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from f2b_enrich.health.fail2ban import Fail2Ban, RefusedError
from f2b_enrich.health.held_bans import HeldBan, database_of, held_bans
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


def test_bans_with_their_times(tmp_path: Path) -> None:
    answer = (
        "192.0.2.7 \t2026-11-21 20:14:03 + 3600 = 2026-11-21 21:14:03\n"
        "2001:db8::7 \t2026-11-21 20:14:04 + -1 = 9999-12-31 23:59:59"
    )
    program = client(tmp_path, {ASKED: answer})
    at = int(datetime(2026, 11, 21, 20, 14, 3).astimezone().timestamp())

    first, second = held_bans(Fail2Ban((str(program),)), "sshd")

    assert first == HeldBan(ip="192.0.2.7", at=(at,), bantime_seconds=3600)
    assert (second.ip, second.bantime_seconds) == ("2001:db8::7", -1)
    # The fraction is cut off there, and rounded in the time of a ban.
    assert [first.began(at + step) for step in (-1, 0, 1, 2)] == [
        *(False, True, True, False),
    ]


def test_no_bans_and_what_is_no_list(tmp_path: Path) -> None:
    assert held_bans(Fail2Ban((str(client(tmp_path, {ASKED: ""})),)), "sshd") == ()
    for answer in ("192.0.2.7 192.0.2.8", "\x1b[31m"):
        program = client(tmp_path, {ASKED: answer, "get dbfile": answer})
        with pytest.raises(RefusedError):
            held_bans(Fail2Ban((str(program),)), "sshd")
        with pytest.raises(RefusedError):
            database_of(Fail2Ban((str(program),)))
