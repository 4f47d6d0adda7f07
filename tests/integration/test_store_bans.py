"""In whatever order and however often events arrive, the same bans are stored."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlite_utils import Database

from f2b_enrich.model import Event, EventKind, ban_id
from f2b_enrich.store import bans, reads, search
from f2b_enrich.store import facts as store_facts
from f2b_enrich.store.connection import open_writer, transaction
from f2b_enrich.store.lines import MAX_BYTES
from tests.events import FAILED_AT, HOST, a_ban, a_prolong, an_unban, clock

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator
    from pathlib import Path

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
ID = ban_id(HOST, "sshd", "192.0.2.7", FAILED_AT)


def record(
    store: sqlite3.Connection, event: Event, now: datetime = NOW
) -> bans.Recorded:
    return bans.record(store, event, host=HOST, jail=event.jail, now=now)


def record_all(store: sqlite3.Connection, *events: Event) -> None:
    with transaction(store):
        for event in events:
            record(store, event)


def rows(store: sqlite3.Connection, query: str) -> list[dict[str, Any]]:
    return [dict(row) for row in store.execute(query)]


def the_ban(store: sqlite3.Connection) -> dict[str, Any]:
    (row,) = rows(store, "SELECT * FROM bans")
    return row


@pytest.fixture(scope="module")
def shared_store(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[sqlite3.Connection]:
    with open_writer(tmp_path_factory.mktemp("store") / "bans.db") as connection:
        yield connection


BANS = "SELECT * FROM bans ORDER BY id"


def outcome(store: sqlite3.Connection, events: Iterable[Event]) -> dict[str, Any]:
    """Record events in an empty store, tell all that it holds, and empty it again."""
    store.execute("BEGIN IMMEDIATE")
    try:
        for event in events:
            record(store, event)
        found = {
            query: rows(store, query)
            for query in (
                BANS,
                "SELECT * FROM ban_ids ORDER BY id",
                "SELECT ban_id, position, line FROM log_lines ORDER BY 1, 2",
                "SELECT ban_id, origin, reference FROM ban_origins ORDER BY 1",
                "SELECT * FROM waiting_events ORDER BY ban_id, kind",
                "SELECT host FROM hosts",
            )
        }
    finally:
        store.execute("ROLLBACK")
    for ban in found[BANS]:
        del ban["received_at"]
    return found


@st.composite
def events(draw: st.DrawFn) -> Event:
    """Draw from few bans and few times, so that events meet."""
    at = clock(draw(st.integers(0, 6)))
    changes = {
        "ip": draw(st.sampled_from(["192.0.2.7", "::ffff:192.0.2.7", "2001:db8::1"])),
        "jail": draw(st.sampled_from(["sshd", "postfix"])),
        # The first two are one ban: half to even, as fail2ban rounds.
        "failed_at": FAILED_AT + draw(st.sampled_from([0.0, 0.25, 1.0])),
    }
    kind = draw(st.sampled_from(EventKind))
    if kind is EventKind.UNBAN:
        return an_unban(at=at, **changes)
    seconds = draw(st.sampled_from([600, 1200, 86400, -1]))
    if kind is EventKind.PROLONG:
        return a_prolong(
            at=at, seconds=seconds, count=draw(st.integers(1, 3)), **changes
        )
    lines = draw(st.sampled_from([(), ("one", f"{changes['jail']}", "three")]))
    return a_ban(
        at=at,
        bantime_seconds=draw(st.sampled_from([None, seconds])),
        failures=draw(st.integers(0, 5)),
        ban_count=draw(st.integers(1, 3)),
        lines=lines,
        **changes,
    )


@st.composite
def two_orders(draw: st.DrawFn) -> tuple[list[Event], list[Event]]:
    """Draw events, and the same in another order with some of them repeated."""
    first = draw(st.lists(events(), min_size=1, max_size=8))
    repeated = draw(st.lists(st.sampled_from(first), max_size=4))
    return first, draw(st.permutations(first + repeated))


@given(two_orders())
def test_any_order_and_any_repetition_gives_the_same_bans(
    shared_store: sqlite3.Connection, orders: tuple[list[Event], list[Event]]
) -> None:
    first, second = orders
    assert outcome(shared_store, first) == outcome(shared_store, second)


def test_a_ban_is_stored_whole(store: sqlite3.Connection) -> None:
    record_all(store, a_ban(ip="::FFFF:192.0.2.7", ban_count=2))
    assert the_ban(store) == {
        "id": ID,
        "host": HOST,
        "jail": "sshd",
        "ip": "192.0.2.7",
        "ip_version": 4,
        "subnet": "192.0.2.0/24",
        "banned_at": "2023-11-14T22:13:20Z",
        "banned_at_source": "failure",
        "bantime_seconds": 600,
        "expires_at": "2023-11-14T22:23:20Z",
        "unbanned_at": None,
        "prolonged_at": None,
        "failures": 3,
        "ban_count": 2,
        "attack": None,
        "repeat_of": None,
        "origin": "live",
        "reference": "",
        "received_at": "2026-11-21T12:00:00Z",
        "announced_at": "2023-11-14T22:13:21Z",
        "lines_received": 2,
        "captures": None,
        "enrichment_id": None,
        "rule_set": None,
        "look_up": "full",
    }
    (logged,) = rows(store, "SELECT * FROM ban_log")
    assert (logged["id"], logged["lines"]) == (ID, "one\ntwo")
    assert logged["origins"] == "live"


def test_the_same_ban_half_a_second_later_is_the_same_ban(
    store: sqlite3.Connection,
) -> None:
    with transaction(store):
        first = record(store, a_ban(failed_at=1_700_000_000.0))
        again = record(store, a_ban(failed_at=1_700_000_000.5))
        other = record(store, a_ban(failed_at=1_700_000_001.0))
    assert (first.ban_id, first.is_new) == (ID, True)
    assert (again.ban_id, again.is_new) == (ID, False)
    assert other.is_new
    assert other.ban_id != ID


@pytest.mark.parametrize("ip", ["notanip!", "attacker.example.org"])
def test_a_ban_of_what_is_no_address_is_stored(
    store: sqlite3.Connection, ip: str
) -> None:
    record_all(store, a_ban(ip=ip, lines=(), failures=0))
    ban = the_ban(store)
    assert (ban["ip"], ban["ip_version"], ban["subnet"]) == (ip, None, None)
    assert (ban["failures"], ban["lines_received"]) == (0, 0)


def test_a_cidr_ban_is_stored_with_its_own_text(store: sqlite3.Connection) -> None:
    record_all(store, a_ban(ip="198.51.0.0/16"))
    ban = the_ban(store)
    assert (ban["ip"], ban["ip_version"], ban["subnet"]) == (
        *("198.51.0.0/16", 4),
        "198.51.0.0/16",
    )


def test_a_ban_for_ever_has_no_end_and_stays_so(store: sqlite3.Connection) -> None:
    record_all(
        store,
        a_ban(bantime_seconds=-1),
        a_prolong(at=clock(2), seconds=86400),
    )
    ban = the_ban(store)
    assert (ban["bantime_seconds"], ban["expires_at"]) == (-1, None)


def test_a_prolonged_ban_ends_later_and_never_sooner(store: sqlite3.Connection) -> None:
    record_all(
        store,
        a_ban(ban_count=2),
        a_prolong(at=clock(9), seconds=1200, count=3),
        a_prolong(at=clock(8), seconds=900, count=2),
    )
    ban = the_ban(store)
    assert (ban["bantime_seconds"], ban["ban_count"]) == (1200, 3)
    assert ban["expires_at"] == "2023-11-14T22:33:20Z"
    assert ban["prolonged_at"] == "2023-11-14T22:13:29Z"


def test_a_ban_time_that_no_calendar_holds_has_no_end(
    store: sqlite3.Connection,
) -> None:
    record_all(store, a_ban(bantime_seconds=2**63 - 1))
    ban = the_ban(store)
    assert (ban["bantime_seconds"], ban["expires_at"]) == (2**63 - 1, None)


def test_unban_and_prolong_wait_for_the_ban_they_belong_to(
    store: sqlite3.Connection,
) -> None:
    with transaction(store):
        early = [
            record(store, an_unban(at=clock(700))),
            record(store, a_prolong(at=clock(5), seconds=1200)),
            record(store, a_prolong(at=clock(4), seconds=86400, count=3)),
        ]
    assert [recorded.ban_id for recorded in early] == [None] * 3
    assert rows(store, "SELECT * FROM bans") == []
    record_all(store, a_ban())
    ban = the_ban(store)
    assert ban["unbanned_at"] == "2023-11-14T22:25:00Z"
    assert (ban["bantime_seconds"], ban["ban_count"]) == (86400, 3)
    assert ban["prolonged_at"] == "2023-11-14T22:13:25Z"
    assert rows(store, "SELECT * FROM waiting_events") == []


def test_an_unban_from_before_the_ban_is_not_this_bans(
    store: sqlite3.Connection,
) -> None:
    record_all(store, a_ban(at=clock(5)), an_unban(at=clock(4)))
    assert the_ban(store)["unbanned_at"] is None


def test_a_ban_reported_after_its_unban_is_in_force_again(
    store: sqlite3.Connection,
) -> None:
    record_all(store, a_ban(), an_unban(at=clock(5)), a_ban(at=clock(9)))
    assert the_ban(store)["unbanned_at"] is None


def test_lines_that_the_first_report_lacked_come_from_the_second(
    store: sqlite3.Connection,
) -> None:
    record_all(store, a_ban(lines=(), failures=0), a_ban(), a_ban())
    ban = the_ban(store)
    assert (ban["failures"], ban["lines_received"]) == (3, 2)
    assert [line.line for line in reads.lines(store, ID)] == ["one", "two"]


def test_a_look_up_by_any_id_finds_the_ban(store: sqlite3.Connection) -> None:
    record_all(store, a_ban())
    with transaction(store):
        store.execute("INSERT INTO other_ids VALUES ('once known as', ?)", (ID,))
    facts = store_facts.of(store, "once known as")
    assert facts is not None
    assert (facts.ban.id, facts.past.nth) == (ID, 1)
    assert store_facts.of(store, "never known") is None


def test_an_event_under_another_id_of_a_ban_meets_the_ban(
    store: sqlite3.Connection,
) -> None:
    record_all(store, a_ban(lines=()))
    with transaction(store):
        store.execute("UPDATE bans SET id = 'of-the-log'")
        store.execute("INSERT INTO other_ids VALUES (?, 'of-the-log')", (ID,))
    record_all(store, an_unban(at=clock(9)))
    assert the_ban(store)["unbanned_at"] == "2023-11-14T22:13:29Z"


def test_the_host_is_seen_first_and_last(store: sqlite3.Connection) -> None:
    with transaction(store):
        record(store, a_ban(), now=clock(10))
        record(store, a_ban(ip="192.0.2.8"), now=clock(5))
        record(store, a_ban(ip="192.0.2.9"), now=clock(30))
    (host,) = rows(store, "SELECT * FROM hosts")
    assert (host["first_seen_at"], host["last_seen_at"]) == (
        "2023-11-14T22:13:30Z",
        "2023-11-14T22:13:50Z",
    )


def test_of_130_kb_of_lines_both_ends_are_stored(store: sqlite3.Connection) -> None:
    record_all(store, a_ban(lines=tuple(f"{n:04} {'x' * 125}" for n in range(1000))))
    stored = reads.lines(store, ID)
    assert the_ban(store)["lines_received"] == 1000
    assert sum(len(line.line) for line in stored) <= MAX_BYTES
    assert (stored[0].line[:4], stored[-1].line[:4]) == ("0000", "0999")
    assert (stored[0].position, stored[-1].position) == (0, 999)


def test_hostile_lines_are_stored_as_they_are(store: sqlite3.Connection) -> None:
    hostile = ("'); DROP TABLE bans; --", "\x1b[2J\r", "=?utf-8?q?x?=", "$(id) \u2400")
    record_all(store, a_ban(lines=hostile, jail="x'; --"))
    (line_texts,) = rows(store, "SELECT lines FROM ban_log")
    assert line_texts["lines"] == "\n".join(hostile)


def index(store: sqlite3.Connection) -> None:
    with transaction(store):
        while search.index_new_lines(store):
            pass


def found(path: Path, words: str) -> list[str]:
    with contextlib.closing(Database(path)) as database:
        return [row["line"] for row in database.table("log_lines").search(words)]


def test_new_lines_are_found_once_they_are_indexed(
    store: sqlite3.Connection, tmp_path: Path
) -> None:
    record_all(store, a_ban(lines=("Failed password for root", "from 192.0.2.7")))
    index(store)
    record_all(store, a_ban(ip="192.0.2.8", lines=("Invalid user admin",)))
    index(store)
    assert found(tmp_path / "bans.db", "password") == ["Failed password for root"]
    assert found(tmp_path / "bans.db", "admin") == ["Invalid user admin"]
    assert found(tmp_path / "bans.db", "user OR root") != []


def test_lines_are_indexed_in_portions_and_once(store: sqlite3.Connection) -> None:
    many = search.SHORT.lines + 1
    record_all(store, a_ban(lines=("word",) * many))
    with transaction(store):
        portions = [search.index_new_lines(store) for _ in range(3)]
    assert portions == [search.SHORT.lines, 1, 0]


def test_long_lines_are_indexed_in_smaller_portions(store: sqlite3.Connection) -> None:
    long = "x" * (search.SHORT.characters // 9)
    record_all(
        store, a_ban(lines=(long,) * 8), a_ban(ip="192.0.2.8", lines=(long,) * 4)
    )
    with transaction(store):
        portions = [search.index_new_lines(store) for _ in range(3)]
    assert portions == [10, 2, 0]


def test_lines_that_are_deleted_or_changed_are_not_found_any_more(
    store: sqlite3.Connection, tmp_path: Path
) -> None:
    record_all(store, a_ban(lines=("first word", "second word")))
    index(store)
    with transaction(store):
        store.execute("DELETE FROM log_lines WHERE position = 1")
        store.execute("UPDATE log_lines SET line = 'changed' WHERE position = 0")
    record_all(store, a_ban(ip="192.0.2.8", lines=("third word",)))
    index(store)
    assert found(tmp_path / "bans.db", "word") == ["third word"]
    assert found(tmp_path / "bans.db", "changed") == ["changed"]
    with transaction(store):  # raises where index and lines differ
        store.execute(
            "INSERT INTO log_lines_fts (log_lines_fts, rank) "
            "VALUES ('integrity-check', 1)"
        )
