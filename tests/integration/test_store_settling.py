"""Old records of an address, in any order and any parts, end as the same bans."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from f2b_enrich.joining.joining import copies_in, join
from f2b_enrich.joining.sightings import NEVER, Joined, Sighting, id_of
from f2b_enrich.model import Event, OutboxState
from f2b_enrich.outbox import message_id
from f2b_enrich.store import bans, outbox, retention
from f2b_enrich.store.connection import open_writer, transaction
from f2b_enrich.store.settling import settle, settle_live
from f2b_enrich.store.sighted import may_change_others, read_sighting, told_by_row
from tests.events import HOST, a_ban, an_unban, clock
from tests.histories import BEGIN, Manner, history

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

IP = "192.0.2.7"
NOW = datetime(2026, 11, 22, tzinfo=UTC)


@contextmanager
def a_store() -> Iterator[sqlite3.Connection]:
    with (
        TemporaryDirectory() as folder,
        open_writer(Path(folder, "bans.db")) as connection,
    ):
        prepare(connection)
        yield connection


def prepare(connection: sqlite3.Connection) -> None:
    with transaction(connection):
        connection.execute("INSERT INTO hosts VALUES (?, NULL, NULL, '', '')", (HOST,))


def add(connection: sqlite3.Connection, *told: Sighting) -> int:
    with transaction(connection):
        return settle(connection, HOST, IP, told, now=NOW).new


def rows_of(connection: sqlite3.Connection) -> list[sqlite3.Row]:
    return connection.execute("SELECT * FROM bans ORDER BY banned_at, id").fetchall()


def kept_of(connection: sqlite3.Connection) -> dict[str | None, set[Sighting]]:
    """Give the records that stand beside bans, by ban."""
    kept: dict[str | None, set[Sighting]] = {}
    for row in connection.execute("SELECT * FROM ban_records"):
        kept.setdefault(row["ban_id"], set()).add(read_sighting(row))
    return kept


def told_in(connection: sqlite3.Connection) -> set[frozenset[Sighting]]:
    kept = kept_of(connection)
    return {
        frozenset(kept.get(row["id"], ())) or told_by_row(row)
        for row in rows_of(connection)
    }


def ids_of(connection: sqlite3.Connection) -> dict[str, str]:
    return dict(connection.execute("SELECT id, ban_id FROM ban_ids").fetchall())


def parts_of(bans: Iterable[Joined]) -> set[frozenset[Sighting]]:
    return {frozenset(ban.sightings) for ban in bans}


def invented(seed: int, lost: float) -> list[Sighting]:
    true = history(Random(seed), Manner(lost=lost, bans=3, stops=0.2, old_logs=0.2))
    return sorted((each for ban in true for each in ban.sightings), key=repr)


@settings(max_examples=60)
@given(
    st.integers(0, 1 << 32),
    st.sampled_from([0, 0.3]),
    st.randoms(use_true_random=False),
    st.integers(1, 6),
)
def test_any_order_in_any_parts_ends_alike(
    seed: int, lost: float, random: Random, parts: int
) -> None:
    told = invented(seed, lost)
    expected = join(set(told) - copies_in(set(told)).keys())
    random.shuffle(told)
    seen: dict[str, str] = {}

    with a_store() as connection:
        for part in range(parts):
            add(connection, *told[part::parts])
            seen |= ids_of(connection)
        decided = told_in(connection)
        loose = kept_of(connection).get(None, set())
        names = ids_of(connection)
        before = connection.total_changes

        assert decided == parts_of(expected.bans)
        assert loose == set(expected.loose)
        assert seen.keys() <= names.keys()
        for ban in expected.bans:
            named = {id_of(e, HOST, IP) for e in ban.sightings if e.kind != "unban"}
            assert len({names[each] for each in named if each in names}) == 1
        assert not connection.execute("PRAGMA foreign_key_check").fetchall()
        assert add(connection, *told) == 0
        assert connection.total_changes == before


@given(st.integers(0, 1 << 32), st.integers(-5, 5))
def test_a_new_failure_takes_nothing_that_was_earlier(seed: int, lead: int) -> None:
    """What a live ban relies on when it looks for later records alone."""
    told = invented(seed, 0.3)
    if not told:
        return
    last = max(each.at for each in told)
    new = Sighting(
        kind="ban",
        precision="failure",
        origin="live",
        at=last + 3 + max(lead, 0),
        jail="sshd",
    )

    assert parts_of(join([*told, new]).bans) == parts_of(join(told).bans) | {
        frozenset((new,))
    }


def at(seconds: int, precision: str = "logged", jail: str | None = "sshd") -> Sighting:
    origin = {"failure": "live", "logged": "log", "mailed": "mail"}[precision]
    return Sighting(
        kind="ban",
        precision=precision,  # type: ignore[arg-type]
        origin=origin,  # type: ignore[arg-type]
        at=BEGIN + seconds,
        jail=jail,
    )


@pytest.fixture
def store(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with open_writer(tmp_path / "bans.db") as connection:
        prepare(connection)
        yield connection


def test_a_lone_record_needs_no_row_beside_its_ban(store: sqlite3.Connection) -> None:
    assert add(store, at(0)) == 1
    assert not kept_of(store)


def test_a_ban_keeps_its_id_and_gets_the_other_one(store: sqlite3.Connection) -> None:
    logged, failed = at(1), at(0, "failure")
    add(store, logged)
    assert add(store, failed) == 0

    (row,) = rows_of(store)
    first, second = (id_of(each, HOST, IP) for each in (logged, failed))
    assert row["id"] == first
    assert row["banned_at_source"] == "failure"
    assert ids_of(store) == {first: first, second: first}


def test_rows_that_become_one_keep_mails_and_the_most_lines(
    store: sqlite3.Connection,
) -> None:
    mail, log = at(5, "mailed", None), at(0)
    add(store, mail)
    row_of_mail = rows_of(store)[0]["id"]
    add(store, at(-9000))
    with transaction(store):
        store.execute("UPDATE bans SET lines_received = 1 WHERE id = ?", (row_of_mail,))
        store.execute(
            "INSERT INTO log_lines (ban_id, position, line) VALUES (?, 0, 'x')",
            (row_of_mail,),
        )
        alert = outbox.NewMail(
            kind="alert",
            ban_id=row_of_mail,
            recipient="noc@alerts.example",
            sender="root@web1.example",
            message_id=message_id(row_of_mail, "alert", 0, HOST),
            due_at=NOW,
        )
        outbox.add(store, alert, now=NOW)
    # The log tells of a ban in another store, which is known there by another id.
    other = at(4, "mailed")
    add(store, other)
    add(store, log)

    last = rows_of(store)[-1]
    assert (last["jail"], last["lines_received"]) == ("sshd", 1)
    lines = store.execute("SELECT line FROM log_lines WHERE ban_id = ?", (last["id"],))
    assert [each["line"] for each in lines] == ["x"]
    (mailed,) = store.execute("SELECT ban_id, state FROM outbox").fetchall()
    assert tuple(mailed) == (last["id"], OutboxState.DUE)


def test_two_rows_that_become_one_are_found_by_both_ids(
    store: sqlite3.Connection,
) -> None:
    first, second = at(0, "mailed"), at(3600, "mailed")
    add(store, first)
    add(store, second)
    assert len(rows_of(store)) == 2

    add(store, at(-1))  # a ban without a known end: the second mail is of a restart

    (row,) = rows_of(store)
    one, other = (id_of(each, HOST, IP) for each in (first, second))
    assert ids_of(store)[one] == ids_of(store)[other] == row["id"]

    add(store, at(3599))  # no: it was banned again

    assert len(rows_of(store)) == 2
    assert ids_of(store)[one] != ids_of(store)[other]


def test_the_row_that_stays_takes_the_lines_of_the_one_that_has_more(
    store: sqlite3.Connection,
) -> None:
    add(store, at(0, "mailed"))
    add(store, at(3600, "mailed"))
    first, second = (row["id"] for row in rows_of(store))
    with transaction(store):
        for ban_id, lines in ((first, ("a",)), (second, ("b", "c"))):
            store.execute(
                "UPDATE bans SET lines_received = ?, attack = ? WHERE id = ?",
                (len(lines), f"attack of {lines}", ban_id),
            )
            store.executemany(
                "INSERT INTO log_lines (ban_id, position, line) VALUES (?, ?, ?)",
                [(ban_id, position, line) for position, line in enumerate(lines)],
            )
            store.execute("INSERT INTO ban_attacks VALUES (?, 'x', 1, NULL)", (ban_id,))
            store.execute(
                "INSERT INTO observed VALUES (?, 'username', ?, 1)", (ban_id, lines[0])
            )

    add(store, at(-1))

    (row,) = rows_of(store)
    assert (row["id"], row["lines_received"]) == (first, 2)
    assert row["attack"] == "attack of ('b', 'c')"
    for what, values in (
        ("line FROM log_lines", ["b", "c"]),
        ("value FROM observed", ["b"]),
        ("attack FROM ban_attacks", ["x"]),
    ):
        found = store.execute(f"SELECT {what} WHERE ban_id = ?", (first,))
        assert [each[0] for each in found] == values


def test_times_at_the_ends_of_the_calendar_are_kept(store: sqlite3.Connection) -> None:
    last = int(datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp())
    told = [
        at(0, "failure")._replace(at=last - 5, ends_at=last + 10**9),
        at(0, "failure")._replace(at=-62_135_596_800, ends_at=NEVER),
    ]
    assert add(store, *told) == 2
    assert add(store, *told) == 0

    oldest, newest = rows_of(store)
    assert (oldest["banned_at"], oldest["expires_at"]) == ("0001-01-01T00:00:00Z", None)
    assert newest["expires_at"] == "9999-12-31T23:59:59Z"


def test_what_was_purged_is_not_brought_back(store: sqlite3.Connection) -> None:
    before = datetime.fromtimestamp(BEGIN, UTC)
    with transaction(store):
        limits = retention.Limits(lines=before, bans=before)
        retention.note(store, limits, now=NOW)

    assert add(store, at(-1, "failure"), at(30), at(1800, "mailed", "postfix")) == 0
    assert add(store, at(0, "failure", "dovecot"), at(90), at(7200, "mailed", "x")) == 3


def live(store: sqlite3.Connection, seconds: float) -> str | None:
    event = a_ban(ip=IP, failed_at=BEGIN + seconds, at=clock(seconds), lines=())
    return report(store, event)


def report(store: sqlite3.Connection, event: Event) -> str | None:
    jail = event.jail
    with transaction(store):
        first = bans.record(store, event, host=HOST, jail=jail, now=NOW)
        return settle_live(store, first, event, host=HOST, jail=jail, now=NOW).ban_id


def test_a_live_ban_is_read_back_as_the_record_that_it_is(
    store: sqlite3.Connection,
) -> None:
    ban_id = live(store, 0)

    assert add(store, at(1)) == 0
    (row,) = rows_of(store)
    assert (row["id"], row["origin"]) == (ban_id, "live")


def test_a_live_ban_looks_only_for_what_is_later(store: sqlite3.Connection) -> None:
    add(store, at(0))
    live(store, 5000)

    assert not may_change_others(store, HOST, IP, BEGIN + 5000, now=NOW)
    assert may_change_others(store, HOST, IP, BEGIN + 1, now=NOW)
    add(store, at(1, "failure"), at(6000), at(6002, "mailed"))
    assert may_change_others(store, HOST, IP, BEGIN + 6001, now=NOW)


def test_a_live_ban_passes_by_what_is_told_of_the_future(
    store: sqlite3.Connection,
) -> None:
    """Anybody can date a mail: settling all is left to the next import."""
    add(store, at(0), at(86_400, "mailed"))
    event = a_ban(ip=IP, failed_at=BEGIN + 7200.0, at=clock(7200), lines=())
    with transaction(store):
        now = clock(7201)
        first = bans.record(store, event, host=HOST, jail="sshd", now=now)
        assert settle_live(store, first, event, host=HOST, jail="sshd", now=now) is (
            first
        )
    told = [at(0), at(86_400, "mailed"), read_back(store, first.ban_id)]
    assert told_in(store) != parts_of(join(told).bans)

    with transaction(store):
        settle(store, HOST, IP, (at(0),), now=now)

    assert told_in(store) == parts_of(join(told).bans)
    before = store.total_changes
    with transaction(store):
        settle(store, HOST, IP, (at(0),), now=now)
    assert store.total_changes == before


def read_back(store: sqlite3.Connection, ban_id: str | None) -> Sighting:
    row = store.execute("SELECT * FROM bans WHERE id = ?", (ban_id,)).fetchone()
    (told,) = told_by_row(row)
    return told


def test_a_live_ban_that_was_imported_before_is_that_ban(
    store: sqlite3.Connection,
) -> None:
    logged = at(1)
    add(store, logged, at(9000))
    first = id_of(logged, HOST, IP)

    assert live(store, 0) == first
    assert len(rows_of(store)) == 2
    assert ids_of(store)[id_of(at(0, "failure"), HOST, IP)] == first
    unban = an_unban(at=clock(700), ip=IP, failed_at=BEGIN + 0.0)
    assert report(store, unban) == first
    assert rows_of(store)[0]["unbanned_at"] == "2023-11-14T22:25:00Z"
    assert live(store, 0) == first


@settings(max_examples=60)
@given(st.integers(0, 1 << 32), st.randoms(use_true_random=False))
def test_live_reports_among_imports_end_as_the_same_bans(
    seed: int, random: Random
) -> None:
    told = [each for each in invented(seed, 0.2) if each.kind != "unban"]
    expected = parts_of(join(set(told) - copies_in(set(told)).keys()).bans)
    random.shuffle(told)

    with a_store() as connection:
        for each in told:
            if each.origin == "live":
                assert each.ends_at is not None
                bantime = -1 if each.ends_at == NEVER else each.ends_at - each.at
                event = a_ban(
                    ip=IP,
                    jail=each.jail,
                    failed_at=float(each.at),
                    bantime_seconds=bantime,
                    lines=(),
                )
                report(connection, event)
            else:
                add(connection, each)

        assert told_in(connection) == expected
        assert not connection.execute("PRAGMA foreign_key_check").fetchall()


@settings(max_examples=60)
@given(
    seed=st.integers(0, 1 << 32),
    random=st.randoms(use_true_random=False),
    is_in_time=st.booleans(),
)
def test_ends_told_live_at_last_end_as_the_same_bans(
    *, seed: int, random: Random, is_in_time: bool
) -> None:
    """Some settle alone, as those of the newest bans do, others with all."""
    told = [each for each in invented(seed, 0.2) if each.origin != "fail2ban-db"]
    ends = [each for each in told if (each.kind, each.origin) == ("unban", "live")]
    failures = {(each.jail, each.at) for each in told if each.precision == "failure"}
    ends = [each for each in ends if (each.jail, each.failed_at) in failures]
    others = [each for each in told if each.kind != "unban" or each.origin != "live"]
    random.shuffle(ends)
    if is_in_time:
        ends.sort(key=lambda each: each.at)
        others.sort(key=lambda each: each.at)

    with a_store() as connection:
        for end in ends:
            while others and (not is_in_time or others[0].at < end.at):
                add(connection, others.pop(0))
            event = an_unban(
                ip=IP,
                jail=end.jail,
                failed_at=float(end.failed_at or 0),
                at=datetime.fromtimestamp(end.at, UTC),
            )
            report(connection, event)
            known = {each for some in told_in(connection) for each in some}
            loose = kept_of(connection).get(None, set())
            assert told_in(connection) == parts_of(join(known | loose).bans)
            assert not is_in_time or end in known | loose
        assert not connection.execute("PRAGMA foreign_key_check").fetchall()


def test_a_live_ban_writes_no_more_pages(tmp_path: Path) -> None:
    """Beside thousands of old bans, its own among them, none of which is later."""
    written = []
    for settles in (False, True):
        path = tmp_path / f"{settles}.db"
        with open_writer(path) as connection:
            prepare(connection)
            add(connection, *(at(-1200 * number) for number in range(1, 3000)))
            add(connection, *(at(90 - 1200 * number, "mailed") for number in range(9)))
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            for number in range(20):
                event = a_ban(ip=IP, failed_at=BEGIN + 100.0 + number, lines=())
                if settles:
                    report(connection, event)
                else:
                    with transaction(connection):
                        bans.record(connection, event, host=HOST, jail="sshd", now=NOW)
            written.append(path.with_name(f"{path.name}-wal").stat().st_size)

    assert written[0] == written[1] > 0
