"""Which ban another repeats, while old records move, join and part bans."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from f2b_enrich.attacks import REPEAT_OFFENDER
from f2b_enrich.joining.sightings import Sighting
from f2b_enrich.model import read_time
from f2b_enrich.store.connection import open_writer, transaction
from f2b_enrich.store.jails import KnownJail, note
from f2b_enrich.store.settling import settle
from tests.histories import BEGIN

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Sequence

HOST, IP = "web1.example", "192.0.2.7"
NOW = datetime(2026, 11, 22, tzinfo=UTC)
DAY = 24 * 3600
REPEATING = "recidive"

sightings = st.builds(
    lambda kind, at, jail: Sighting(*kind, BEGIN + at, jail),  # type: ignore[call-arg]
    st.sampled_from(
        [
            ("ban", "logged", "log"),
            ("again", "logged", "log"),
            ("unban", "logged", "log"),
            ("ban", "failure", "live"),
            ("ban", "failure", "fail2ban-db"),
            ("ban", "mailed", "mail"),
        ]
    ),
    st.sampled_from([0, 1, 2, 600, 601, 3000, 20_000, DAY, DAY + 1, DAY + 600]),
    st.sampled_from(["sshd", "dovecot", REPEATING, REPEATING]),
)


@settings(max_examples=300)
@given(st.lists(st.lists(sightings, min_size=1, max_size=4), min_size=1, max_size=6))
def test_each_points_at_the_last_ban_of_the_day_before(
    some: list[list[Sighting]],
) -> None:
    with a_store() as store:
        for told in some:
            add(store, told)

            assert repeated(store) == expected(store)


def test_a_ban_that_moves_back_hands_on_what_repeats_it() -> None:
    with a_store() as store:
        add(store, [logged(600), logged(1200, kind="again", jail="dovecot")])
        add(store, [logged(1200, jail=REPEATING)])
        assert repeated_jail(store) == "dovecot"

        add(store, [logged(0, jail="dovecot")])

        assert repeated_jail(store) == "sshd"


@contextmanager
def a_store() -> Iterator[sqlite3.Connection]:
    with (
        TemporaryDirectory() as folder,
        open_writer(Path(folder, "bans.db")) as connection,
    ):
        with transaction(connection):
            connection.execute(
                "INSERT INTO hosts VALUES (?, NULL, NULL, '', '')", (HOST,)
            )
            for jail, attack in (
                ("sshd", "brute-force"),
                ("dovecot", "brute-force"),
                (REPEATING, REPEAT_OFFENDER),
            ):
                note(
                    connection,
                    KnownJail(
                        jail=jail, service="ssh", attack=attack, origin="shipped"
                    ),
                )
        yield connection


def add(connection: sqlite3.Connection, told: Sequence[Sighting]) -> None:
    with transaction(connection):
        settle(connection, HOST, IP, told, now=NOW)


def logged(at: int, *, kind: str = "ban", jail: str = "sshd") -> Sighting:
    return Sighting(kind, "logged", "log", BEGIN + at, jail)  # type: ignore[arg-type]


def repeated(connection: sqlite3.Connection) -> dict[str, str | None]:
    return dict(map(tuple, connection.execute("SELECT id, repeat_of FROM bans")))


def repeated_jail(connection: sqlite3.Connection) -> str:
    (row,) = connection.execute(
        "SELECT repeated.jail FROM bans JOIN bans AS repeated "
        "ON repeated.id = bans.repeat_of"
    )
    return str(row["jail"])


def expected(connection: sqlite3.Connection) -> dict[str, str | None]:
    """Say it in Python: the last that is no repetition, of a second the least id."""
    rows = [
        (read_time(row["banned_at"]).timestamp(), row["id"], row["jail"])
        for row in connection.execute("SELECT id, jail, banned_at FROM bans")
    ]
    found: dict[str, str | None] = {}
    for at, ban, jail in rows:
        seen = [
            (-before, one)
            for before, one, of_jail in rows
            if of_jail != REPEATING and 0 <= at - before <= DAY
        ]
        found[ban] = min(seen)[1] if jail == REPEATING and seen else None
    return found
