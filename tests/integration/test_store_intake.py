"""Old records with what came with them: each ban once, and the richest of each."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from f2b_enrich.joining.sightings import Sighting, id_of
from f2b_enrich.model import ban_id
from f2b_enrich.store import bans, classes, removal, retention, search
from f2b_enrich.store.connection import open_writer, transaction
from f2b_enrich.store.intake import Brought, TakenIn, take_in
from f2b_enrich.store.line_search import LineQuery, found_lines
from f2b_enrich.store.retention import Limits
from f2b_enrich.store.settling import settle_live
from tests.events import HOST, a_ban, a_prolong, an_unban, clock
from tests.histories import BEGIN

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Sequence

    from f2b_enrich.joining.sightings import Origin

IP = "192.0.2.7"
NOW = datetime(2026, 11, 22, tzinfo=UTC)
KEY = (HOST, IP)
PRECISIONS = {"fail2ban-db": "failure", "log": "logged", "mail": "mailed"}


@contextmanager
def a_store() -> Iterator[sqlite3.Connection]:
    with (
        TemporaryDirectory() as folder,
        open_writer(Path(folder, "bans.db")) as connection,
    ):
        yield connection


@pytest.fixture
def store() -> Iterator[sqlite3.Connection]:
    with a_store() as connection:
        yield connection


def told(origin: Origin, seconds: int = 0, **changes: object) -> Sighting:
    name = f"<{seconds}@web1.example>" if origin == "mail" else None
    sighting = Sighting(
        kind="ban",
        precision=PRECISIONS[origin],  # type: ignore[arg-type]
        origin=origin,
        at=BEGIN + seconds,
        jail="sshd",
        message_id=name,
    )
    return sighting._replace(**changes)  # type: ignore[arg-type]


def brought(sighting: Sighting, **with_it: object) -> Brought:
    reference = sighting.message_id or f"{sighting.origin}.1"
    return Brought(**({"sighting": sighting, "reference": reference} | with_it))  # type: ignore[arg-type]


def take(store: sqlite3.Connection, *records: Brought) -> TakenIn:
    with transaction(store):
        return take_in(store, {KEY: records}, now=NOW, look_up="none")


def live(store: sqlite3.Connection, **changes: object) -> bans.Recorded:
    changes = {"failed_at": float(BEGIN), "ip": IP} | changes
    event = changes.pop("event", None) or a_ban(**changes)
    with transaction(store):
        first = bans.record(store, event, host=HOST, jail=event.jail, now=NOW)  # type: ignore[arg-type,attr-defined]
        return settle_live(store, first, event, host=HOST, jail=event.jail, now=NOW)  # type: ignore[arg-type,attr-defined]


def rows(
    store: sqlite3.Connection, query: str = "SELECT * FROM bans"
) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in store.execute(query)]


def lines_of(store: sqlite3.Connection) -> list[str]:
    found = store.execute("SELECT line FROM log_lines ORDER BY ban_id, position")
    return [row["line"] for row in found]


def origins_of(store: sqlite3.Connection) -> list[tuple[str, str]]:
    return sorted(rows(store, "SELECT origin, reference FROM ban_origins"))


def counts_of(store: sqlite3.Connection) -> tuple[int, ...]:
    query = "SELECT failures, ban_count, lines_received FROM bans"
    (found,) = rows(store, query)
    return found


# --- any order ------------------------------------------------------------------------


@dataclass(frozen=True)
class Everything:
    """All that a store says of bans, but when it heard of it, and ids."""

    bans: list[tuple[Any, ...]]
    lines: list[tuple[Any, ...]]
    origins: list[tuple[Any, ...]]


def everything(store: sqlite3.Connection) -> Everything:
    return Everything(
        rows(
            store,
            "SELECT host, ip, jail, banned_at, banned_at_source, bantime_seconds, "
            "expires_at, unbanned_at, failures, ban_count, lines_received, origin, "
            "reference FROM bans ORDER BY host, ip, banned_at",
        ),
        rows(
            store,
            "SELECT host, ip, banned_at, position, line FROM log_lines "
            "JOIN bans ON bans.id = ban_id ORDER BY host, ip, banned_at, position",
        ),
        rows(
            store,
            "SELECT host, ip, banned_at, ban_origins.origin, ban_origins.reference "
            "FROM ban_origins JOIN bans ON bans.id = ban_id "
            "ORDER BY host, ip, banned_at, ban_origins.origin, ban_origins.reference",
        ),
    )


def apart(
    random: Random, key: tuple[str, str]
) -> list[tuple[tuple[str, str], Brought]]:
    """Invent records of bans that nothing could take for each other's.

    No unbans, which may be taken for those of another ban until theirs is known: what
    came with them stays there.
    """
    found = []
    for number in range(random.randint(1, 3)):
        at = number * 30 * 86400
        some: list[Sighting] = [
            told("fail2ban-db", at, ends_at=BEGIN + at + 600),
            told("log", at + 1),
            told("mail", at + 3),
            told("mail", at + 5, jail=None),
        ]
        for each in random.sample(some, random.randint(1, len(some))):
            # Of a gap that fail2ban left it cannot be told by whom it was filled.
            is_exact = each.precision == "failure"
            record = brought(
                each,
                failures=random.choice([None, 1, 5][is_exact:]),
                ban_count=random.choice([None, 2]),
                lines=tuple(random.choices("abc", k=random.randint(is_exact, 3))),
            )
            found.append((key, record))
            if random.random() < 0.3:
                found.append((key, replace(record, reference="copy")))
    return found


@settings(max_examples=25)
@given(seed=st.integers(0, 1 << 32), parts=st.integers(1, 4), purges=st.booleans())
def test_any_order_in_any_parts_ends_with_the_same_content(
    *, seed: int, parts: int, purges: bool
) -> None:
    random = Random(seed)
    keys = [(HOST, IP), (HOST, "2001:db8::7"), ("web2.example", IP)]
    records = [each for key in keys for each in apart(random, key)]
    ends = []
    for _ in range(2):
        with a_store() as store:
            for part in range(parts):
                give(store, records[part::parts])
                if purges:
                    purge_lines(store)
            found = everything(store)
            before = store.total_changes
            assert give(store, records).new == 0
            assert store.total_changes == before
            assert not store.execute("PRAGMA foreign_key_check").fetchall()
        ends.append(found)
        random.shuffle(records)

    if purges:  # how many lines there were is known to who came before the purge
        assert not ends[0].lines
        assert not ends[1].lines
    else:
        assert ends[0] == ends[1]


def give(
    store: sqlite3.Connection, records: Sequence[tuple[tuple[str, str], Brought]]
) -> TakenIn:
    by_key: dict[tuple[str, str], list[Brought]] = {}
    for key, record in records:
        by_key.setdefault(key, []).append(record)
    with transaction(store):
        return take_in(store, by_key, now=NOW, look_up="none")


def purge_lines(store: sqlite3.Connection) -> None:
    with transaction(store):
        retention.note(store, Limits(lines=NOW, bans=None), now=NOW)
        store.execute("DELETE FROM log_lines")


# --- content --------------------------------------------------------------------------


def test_a_new_ban_has_all_that_came_with_it(store: sqlite3.Connection) -> None:
    record = brought(told("log"), failures=5, ban_count=2, lines=("one", "two"))

    assert take(store, record) == TakenIn(new=1, known=0, refused=0)
    assert take(store, record) == TakenIn(new=0, known=1, refused=0)

    assert counts_of(store) == (5, 2, 2)
    assert lines_of(store) == ["one", "two"]
    assert origins_of(store) == [("log", "log.1")]


def test_more_lines_take_the_place_of_fewer_and_are_classed(
    store: sqlite3.Connection,
) -> None:
    take(store, brought(told("log"), lines=("a",), failures=7))
    (ban,) = classes.not_classed(store, after=0, limit=9)
    with transaction(store):
        number = classes.rule_set(store, "x", now=NOW)
        classes.keep(store, ban.id, rule_set=number)
        search.index_new_lines(store)

    take(store, brought(told("mail", 3), lines=("b", "c"), failures=2))

    assert lines_of(store) == ["b", "c"]
    assert counts_of(store) == (7, 1, 2)
    assert [each.id for each in classes.not_classed(store, after=0, limit=9)] == [
        ban.id
    ]
    with transaction(store):
        search.index_new_lines(store)
    for word, count in (("a", 0), ("b", 1)):
        assert found_lines(store, LineQuery(terms=(word,)))[1] == count


def test_lines_that_were_purged_stay_away_and_counts_come(
    store: sqlite3.Connection,
) -> None:
    purge_lines(store)

    take(store, brought(told("log"), lines=("a", "b"), failures=3))
    take(store, brought(told("mail", 2), lines=("a", "b", "c"), failures=4))

    assert lines_of(store) == []
    assert counts_of(store) == (4, 1, 0)


def test_bans_that_were_purged_are_counted_and_left_out(
    store: sqlite3.Connection,
) -> None:
    before = datetime.fromtimestamp(BEGIN, UTC)
    with transaction(store):
        retention.note(store, Limits(lines=before, bans=before), now=NOW)
    end = told("log", -5, kind="unban")

    taken = take(store, *map(brought, (told("log", -9), end, told("log", 900))))

    assert taken == TakenIn(new=1, known=0, refused=1)
    assert rows(store, "SELECT * FROM ban_records") == []
    assert take(store, brought(told("mail", 905))) == TakenIn(new=0, known=1, refused=0)


def test_each_origin_is_noted_once(store: sqlite3.Connection) -> None:
    log = told("log", 1)
    take(store, brought(log, reference="b.log"), brought(log, reference="a.log"))
    take(store, brought(told("mail", 3)), brought(told("fail2ban-db")))
    take(store, brought(log, reference=""), brought(told("mail", 3)))

    assert origins_of(store) == [
        ("fail2ban-db", "fail2ban-db.1"),
        ("log", "a.log"),
        ("log", "b.log"),
        ("mail", "<3@web1.example>"),
    ]
    live(store)
    assert ("live", "") in origins_of(store)
    assert len(origins_of(store)) == 5


def test_a_host_is_noted_once(store: sqlite3.Connection) -> None:
    take(store, brought(told("log")))
    live(store)

    assert rows(store, "SELECT host FROM hosts") == [(HOST,)]


# --- live reports ---------------------------------------------------------------------


@pytest.mark.parametrize("origin", ["fail2ban-db", "log", "mail"])
def test_a_ban_is_new_when_it_is_first_reported_live(
    store: sqlite3.Connection, origin: Origin
) -> None:
    take(store, brought(told(origin, origin != "fail2ban-db", ends_at=None)))
    (row,) = rows(store, "SELECT id FROM bans")

    assert live(store) == bans.Recorded(row[0], IP, is_new=True)
    assert live(store) == bans.Recorded(row[0], IP, is_new=False)
    assert rows(store, "SELECT origin FROM bans") == [("live",)]


def test_what_was_reported_live_costs_the_database_no_row(
    store: sqlite3.Connection,
) -> None:
    live(store, bantime_seconds=600)
    same = brought(told("fail2ban-db", ends_at=BEGIN + 600), reference="f2b.sqlite3")

    assert take(store, same) == TakenIn(new=0, known=1, refused=0)
    assert rows(store, "SELECT * FROM ban_records") == []
    assert origins_of(store) == [("fail2ban-db", "f2b.sqlite3"), ("live", "")]
    before = store.total_changes
    take(store, same)
    assert store.total_changes == before


@pytest.mark.parametrize("is_first", [True, False])
def test_of_as_many_lines_those_of_the_live_report_stay(
    store: sqlite3.Connection, *, is_first: bool
) -> None:
    mail = brought(told("mail", 2), lines=("x", "y"))
    if is_first:
        live(store, lines=("c", "d"))
    take(store, mail)
    if not is_first:
        live(store, lines=("c", "d"))

    assert lines_of(store) == ["c", "d"]
    take(store, replace(mail, lines=("x", "y", "z")))
    assert lines_of(store) == ["c", "d"]


def test_a_live_report_of_the_same_second_has_the_lines_of_the_richest(
    store: sqlite3.Connection,
) -> None:
    same = told("fail2ban-db")
    take(store, brought(same, lines=("a", "b")))
    live(store, lines=("c",))
    assert lines_of(store) == ["a", "b"]
    live(store, failed_at=BEGIN + 9e5, lines=("c",))
    take(store, brought(same._replace(at=BEGIN + 900_000), lines=("a", "b")))
    assert lines_of(store).count("a") == 2


def test_an_unban_that_waited_ends_the_ban_that_an_import_brings(
    store: sqlite3.Connection,
) -> None:
    live(store, event=an_unban(at=clock(90), ip=IP, failed_at=float(BEGIN)))
    longer = a_prolong(at=clock(9), ip=IP, failed_at=float(BEGIN), seconds=5000)
    live(store, event=longer)

    take(store, brought(told("fail2ban-db", ends_at=BEGIN + 600)))

    (row,) = rows(
        store, "SELECT unbanned_at, bantime_seconds, ban_count, prolonged_at FROM bans"
    )
    assert row == ("2023-11-14T22:14:50Z", 5000, 2, "2023-11-14T22:13:29Z")
    assert rows(store, "SELECT * FROM waiting_events") == []


FORGED = brought(
    told("mail", 2), lines=("x", "y", "z"), failures=9_999_999, ban_count=1
)


@pytest.mark.parametrize("origin", ["live", "fail2ban-db"])
@pytest.mark.parametrize("is_first", [True, False])
@pytest.mark.parametrize("failures", [900, 9_999_999])
def test_no_mail_replaces_what_fail2ban_itself_told(
    store: sqlite3.Connection, origin: str, failures: int, *, is_first: bool
) -> None:
    mail = replace(FORGED, failures=failures)
    if not is_first:
        take(store, mail)
    if origin == "live":
        live(store, lines=("a", "b"), failures=5)
    else:
        take(store, brought(told("fail2ban-db"), lines=("a", "b"), failures=5))
    if is_first:
        take(store, mail)

    assert counts_of(store) == (5, 1, 2)
    assert lines_of(store) == ["a", "b"]


def test_no_mail_replaces_it_when_two_bans_become_one(
    store: sqlite3.Connection,
) -> None:
    take(store, replace(FORGED, sighting=told("mail", 700), failures=900))
    live(store, lines=("a", "b"), failures=5, bantime_seconds=500)
    assert len(rows(store)) == 2

    live(store, event=a_prolong(at=clock(9), ip=IP, failed_at=BEGIN + 0.0, seconds=999))
    take(store, brought(told("log", 1)))

    assert counts_of(store) == (5, 2, 2)
    assert lines_of(store) == ["a", "b"]


def test_a_mail_fills_what_fail2ban_did_not_tell(store: sqlite3.Connection) -> None:
    live(store, lines=(), failures=0)
    take(store, replace(FORGED, failures=4))

    assert counts_of(store) == (4, 1, 3)


def test_no_mail_tells_of_more_failures_than_can_be(store: sqlite3.Connection) -> None:
    take(store, FORGED)
    assert counts_of(store) == (0, 1, 3)


# --- our own alerts -------------------------------------------------------------------

OWN = ban_id(HOST, "sshd", IP, BEGIN)


def own_alert(seconds: int = 4000, **with_it: object) -> Brought:
    """Give an alert that nothing but its id joins to the ban, so late it was sent."""
    return brought(told("mail", seconds), ban_id=OWN, failures=9, **with_it)


@pytest.mark.parametrize("is_first", [True, False])
@pytest.mark.parametrize("parts", [1, 2])
def test_our_own_alert_is_of_the_ban_that_it_names(
    store: sqlite3.Connection, parts: int, *, is_first: bool
) -> None:
    if is_first:
        live(store)
    take(store, own_alert())
    if parts == 2:
        take(store, own_alert(5000))
    if not is_first:
        assert (OWN,) in rows(store, "SELECT id FROM ban_ids")
        assert live(store).ban_id is not None

    assert counts_of(store)[0] == 3  # as it was reported live, not as the mail says
    assert rows(store, "SELECT banned_at_source FROM bans") == [("failure",)]
    (ids,) = rows(store, "SELECT count(DISTINCT ban_id) FROM ban_ids")
    assert ids == (1,)
    assert len(origins_of(store)) == 1 + parts
    assert take(store, own_alert()) == TakenIn(new=0, known=1, refused=0)


def test_an_alert_that_names_the_ban_of_another_address_does_not_take_it(
    store: sqlite3.Connection,
) -> None:
    other = "192.0.2.99"
    forged = ban_id(HOST, "sshd", other, BEGIN)
    take(store, replace(own_alert(), ban_id=forged))

    ban = live(store, ip=other)

    assert ban == bans.Recorded(forged, other, is_new=True)
    take(store, replace(own_alert(9000), ban_id=forged))
    assert dict(rows(store, "SELECT * FROM ban_ids"))[forged] == forged


def a_forged_alert(seconds: int, failed_at: int, **with_it: object) -> Brought:
    """Give a mail of now that names a ban of one's own which is still to come."""
    name = ban_id(HOST, "sshd", IP, BEGIN + failed_at)
    return brought(told("mail", seconds), ban_id=name, **with_it)


def test_a_ban_that_a_mail_named_before_is_not_an_earlier_one(
    store: sqlite3.Connection,
) -> None:
    first = live(store, bantime_seconds=86_400, lines=("a",), failures=5)
    before = rows(store)
    take(store, a_forged_alert(60, 3600))
    assert (ban_id(HOST, "sshd", IP, BEGIN + 3600),) not in rows(
        store, "SELECT id FROM ban_ids"
    )
    unban = an_unban(at=clock(3610), ip=IP, failed_at=BEGIN + 3600.0)
    assert live(store, event=unban).ban_id is None
    assert rows(store) == before

    ban = live(store, failed_at=BEGIN + 3600.0, lines=("b", "c"), failures=7)

    assert ban.is_new
    assert ban.ban_id != first.ban_id
    assert rows(store, "SELECT * FROM bans WHERE banned_at < '2023-11-14T23'") == before
    assert rows(
        store, "SELECT failures, lines_received, unbanned_at FROM bans ORDER BY rowid"
    ) == [(5, 1, None), (7, 2, "2023-11-14T23:13:30Z")]


def test_a_pointer_at_a_ban_of_another_failure_is_no_name_of_it(
    store: sqlite3.Connection,
) -> None:
    """As of a ban that was told by the log alone when a mail named another."""
    take(store, brought(told("log", 1)), a_forged_alert(60, 3600))
    first = live(store, failed_at=float(BEGIN))
    with transaction(store):
        store.execute(
            "INSERT OR REPLACE INTO other_ids VALUES (?, ?)",
            (ban_id(HOST, "sshd", IP, BEGIN + 3600), first.ban_id),
        )

    unban = an_unban(at=clock(3610), ip=IP, failed_at=BEGIN + 3600.0)
    assert live(store, event=unban).ban_id is None
    assert live(store, failed_at=BEGIN + 3600.0).ban_id != first.ban_id


def test_a_ban_of_the_log_keeps_what_came_with_it_when_a_mail_named_another(
    store: sqlite3.Connection,
) -> None:
    take(store, brought(told("log", 1), failures=3), a_forged_alert(60, 3600))
    (before,) = rows(store)
    unban = an_unban(at=clock(3610), ip=IP, failed_at=BEGIN + 3600.0)
    assert live(store, event=unban).ban_id is None
    assert rows(store) == [before]

    ban = live(store, failed_at=BEGIN + 3600.0, lines=("b", "c"), failures=7)

    assert ban.is_new
    assert rows(store) == [before, *rows(store, "SELECT * FROM bans WHERE failures=7")]
    assert counts_of_all(store) == [(3, 0), (7, 2)]


def counts_of_all(store: sqlite3.Connection) -> list[tuple[Any, ...]]:
    return rows(store, "SELECT failures, lines_received FROM bans ORDER BY rowid")


def test_a_ban_told_by_the_log_and_by_our_own_alert_is_one_with_its_live_report(
    store: sqlite3.Connection,
) -> None:
    take(store, brought(told("log", 1)), own_alert(3))

    ban = live(store, lines=("a", "b"))

    assert ban.is_new
    assert counts_of(store) == (3, 1, 2)
    assert lines_of(store) == ["a", "b"]


# --- removal --------------------------------------------------------------------------


def test_what_is_removed_comes_back_by_an_import_only(
    store: sqlite3.Connection,
) -> None:
    records = brought(told("log", 1)), brought(told("mail", 3))
    take(store, *records)
    with transaction(store):
        assert removal.remove_bans(store, "sshd", IP) == 1
    assert rows(store, "SELECT * FROM ban_records") == []

    assert take(store, brought(told("log", 90_000))).new == 1
    assert len(rows(store)) == 1
    assert take(store, *records).new == 1


def test_a_batch_of_many_addresses_is_each_one_by_itself(
    store: sqlite3.Connection,
) -> None:
    known = (HOST, "2001:db8::7")
    with transaction(store):
        take_in(store, {known: [brought(told("log"))]}, now=NOW, look_up="none")
    same = brought(told("log", 1))
    batch = {(HOST, f"192.0.2.{number}"): [same] for number in range(200)}
    batch[known] = [same]

    with transaction(store):
        taken = take_in(store, batch, now=NOW, look_up="none")

    assert taken == TakenIn(new=200, known=1, refused=0)
    (found,) = rows(store, "SELECT count(*), count(DISTINCT ip) FROM bans")
    assert found == (201, 201)
    assert rows(store, "SELECT DISTINCT id FROM bans WHERE ip = '192.0.2.9'") == [
        (id_of(same.sighting, HOST, "192.0.2.9"),)
    ]
