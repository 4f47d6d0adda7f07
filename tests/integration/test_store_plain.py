"""Lines of which nothing else is known: two ways into the store, one result."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from f2b_enrich.attacks import REPEAT_OFFENDER
from f2b_enrich.joining.sightings import Sighting
from f2b_enrich.model import time_text
from f2b_enrich.store import jails, retention
from f2b_enrich.store.connection import open_writer, transaction
from f2b_enrich.store.intake import Brought, TakenIn, take_in
from f2b_enrich.store.jails import KnownJail
from f2b_enrich.store.plain import record_of, take_plain
from f2b_enrich.store.retention import Limits

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Mapping, Sequence

    from f2b_enrich.joining.plain_lines import PlainLine

NOW = datetime(2026, 11, 22, tzinfo=UTC)
BEGIN = int((NOW - timedelta(days=10)).timestamp())
REPEATING = "recidive"
TABLES = (
    *("bans", "ban_records", "other_ids", "other_origins", "hosts", "log_lines"),
    "waiting_events",
)

keys = st.tuples(
    st.sampled_from(["web1", "web2"]),
    st.sampled_from(["192.0.2.7", "2001:db8::7", "attacker.example.org"]),
)
times = st.integers(0, 200).map(lambda step: BEGIN + 100 * step)
logs = st.sampled_from(["fail2ban.log"] * 5 + ["", "syslog"])
bans = st.builds(
    lambda at, jail, log, lasted: [
        (at, "ban", jail, log),
        *([(at + lasted, "unban", jail, log)] if lasted is not None else []),
    ],
    times,
    st.sampled_from(["sshd", "sshd", "dovecot", REPEATING]),
    logs,
    st.sampled_from([None, 0, 7, 600, 5000]),
)
lines = st.lists(bans, min_size=1, max_size=4).map(
    lambda some: [line for ban in some for line in ban]
)
records = st.builds(
    lambda kind, at, jail, lasting: Sighting(
        *kind,
        at,
        jail,
        None if lasting is None else at + lasting,  # type: ignore[call-arg]
    ),
    st.sampled_from(
        [
            ("ban", "failure", "live"),
            ("ban", "failure", "fail2ban-db"),
            ("again", "logged", "log"),
            ("prolong", "logged", "log"),
            ("unban", "logged", "live"),
            ("ban", "mailed", "mail"),
            ("ban", "bounced", "bounce"),
        ]
    ),
    times,
    st.sampled_from(["sshd", "dovecot", REPEATING]),
    st.sampled_from([None, 600, 6000]),
).map(lambda told: Brought(sighting=told, reference=""))
known = st.dictionaries(keys, st.lists(records, min_size=1, max_size=3))
portions = st.lists(
    st.dictionaries(keys, lines, min_size=1),
    min_size=1,
    max_size=3,
)


@contextmanager
def a_store(purged: datetime | None) -> Iterator[sqlite3.Connection]:
    with (
        TemporaryDirectory() as folder,
        open_writer(Path(folder, "bans.db")) as connection,
    ):
        with transaction(connection):
            for jail, attack in (("sshd", "brute-force"), (REPEATING, REPEAT_OFFENDER)):
                known = KnownJail(
                    jail=jail, service="ssh", attack=attack, origin="configured"
                )
                jails.note(connection, known)
            if purged is not None:
                limits = Limits(lines=None, bans=purged)
                retention.note(connection, limits, now=NOW)
        yield connection


def take(
    connection: sqlite3.Connection,
    brought: Mapping[tuple[str, str], Sequence[Brought | PlainLine]],
) -> TakenIn:
    with transaction(connection):
        return take_in(connection, brought, now=NOW, look_up="local")


def whole(line: PlainLine) -> Brought:
    return Brought(sighting=record_of(line), reference=line[3])


def contents(connection: sqlite3.Connection) -> dict[str, list[tuple[Any, ...]]]:
    return {
        table: sorted(
            map(tuple, connection.execute(f"SELECT * FROM {table}")),  # noqa: S608
            key=repr,
        )
        for table in TABLES
    }


@settings(max_examples=150)
@given(known, portions, st.sampled_from([None, None, 3000, 12000]))
def test_lines_come_to_what_whole_records_come_to(
    before_them: dict[tuple[str, str], list[Brought]],
    told: list[dict[tuple[str, str], list[PlainLine]]],
    purged: int | None,
) -> None:
    before = None if purged is None else datetime.fromtimestamp(BEGIN + purged, UTC)
    with a_store(before) as short, a_store(before) as general:
        take(short, before_them)
        take(general, before_them)
        for portion in told:
            taken = take(short, portion)
            expected = take(
                general, {key: list(map(whole, some)) for key, some in portion.items()}
            )

            assert taken == expected
            assert contents(short) == contents(general)


@pytest.mark.parametrize(("host", "is_left"), [("web1", True), ("web2", False)])
def test_only_what_the_same_host_did_leaves_a_line_in_doubt(
    host: str,
    is_left: bool,  # noqa: FBT001 - pytest names it
) -> None:
    key = ("web1", "192.0.2.7")
    line: PlainLine = (BEGIN, "ban", "sshd", "fail2ban.log")
    live = Brought(
        sighting=Sighting("ban", "failure", "live", BEGIN, "sshd"), reference=""
    )
    mail = Brought(
        sighting=Sighting("ban", "mailed", "mail", BEGIN, "sshd"), reference=""
    )
    with a_store(None) as store:
        take(store, {(host, "192.0.2.7"): [live, mail]})
        with transaction(store):
            taken = take_plain(
                store, {key: [line]}, since=None, at=time_text(NOW), look_up="local"
            )

        assert (taken.left == (key,)) is is_left
        assert taken.new == (not is_left)


def test_a_line_and_a_record_of_one_address_meet() -> None:
    record = Sighting("ban", "mailed", "mail", BEGIN + 3, "sshd", message_id="<1@x>")
    line: PlainLine = (BEGIN, "ban", "sshd", "fail2ban.log")
    with a_store(None) as store:
        taken = take(
            store,
            {("web1", "192.0.2.7"): [Brought(sighting=record, reference=""), line]},
        )

        assert taken == TakenIn(new=1, known=0, refused=0)


def test_an_address_without_any_record_is_nothing() -> None:
    with a_store(None) as store:
        assert take(store, {("web1", "192.0.2.7"): []}) == TakenIn(
            new=0, known=0, refused=0
        )
