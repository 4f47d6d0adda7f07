"""Stores that are merged: the same in any order, and each of them left as it was."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations, product
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from f2b_enrich.joining.joining import join
from f2b_enrich.joining.sightings import id_of, in_order
from f2b_enrich.model import EventKind, OutboxState
from f2b_enrich.store import retention
from f2b_enrich.store.connection import open_reader, open_writer, transaction
from f2b_enrich.store.intake import Brought, take_in
from f2b_enrich.store.retention import Limits
from f2b_enrich.store.union import Merged, merge
from tests.cli import Ran, run
from tests.histories import Manner, history
from tests.stores import LINES, NOW, StoreBuilder, event, located

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from f2b_enrich.joining.sightings import Sighting

HOST = "web1.example.org"
IPS = ("192.0.2.7", "192.0.2.8")
LATER = datetime(2026, 11, 22, 12, tzinfo=UTC)

TOLD = """
    SELECT id, host, jail, ip, banned_at, banned_at_source, bantime_seconds, expires_at,
    unbanned_at, failures, ban_count, attack, repeat_of, received_at, lines_received
    FROM bans ORDER BY id
"""
LINES_OF = "SELECT ban_id, position, line FROM log_lines ORDER BY ban_id, position"
IDS = "SELECT id, ban_id FROM ban_ids ORDER BY id"
RECORDS = """
    SELECT ip, host, at, kind, precision, origin, jail, ends_at, ban_id FROM ban_records
    ORDER BY 1, 2, 3, 4, 5, 6, 7, 8
"""


def merged(paths: Sequence[Path], output: Path) -> Merged:
    return merge(paths, output, now=LATER, progress=lambda *_: None)


def asked(path: Path, *questions: str) -> list[list[tuple[Any, ...]]]:
    with open_reader(path) as store:
        return [[tuple(row) for row in store.execute(one)] for one in questions]


def store_of(
    path: Path, parts: Iterable[tuple[str, list[Sighting]]], seed: int
) -> None:
    random = Random(seed)
    with open_writer(path) as store:
        for number, (ip, told) in enumerate(parts):
            brought = [
                Brought(
                    sighting=each,
                    reference=f"{seed}",
                    failures=random.randrange(9),
                    lines=LINES[: random.randrange(3)],
                )
                for each in told
            ]
            at = NOW + timedelta(hours=number + random.randrange(3))
            with transaction(store):
                take_in(store, {(HOST, ip): brought}, now=at, look_up="none")


@settings(max_examples=10)
@given(st.integers(0, 1 << 32), st.sampled_from([0, 0.3]))
def test_any_order_of_stores_ends_alike(seed: int, lost: float) -> None:
    random = Random(seed)
    manner = Manner(lost=lost, bans=3, stops=0.2, old_logs=0.2)
    told = {
        ip: sorted(
            (each for ban in history(random, manner) for each in ban.sightings),
            key=in_order,
        )
        for ip in IPS
    }
    with TemporaryDirectory() as folder:
        paths = [Path(folder, f"{number}.db") for number in range(2)]
        for number, path in enumerate(paths):
            parts = [
                (ip, random.sample(each, random.randint(0, len(each))))
                for ip, each in sorted(told.items()) * 2
            ]
            store_of(path, parts, seed + number)
        results = []
        for number, order in enumerate(permutations(paths)):
            output = Path(folder, f"all{number}.db")
            merged(order, output)
            results.append(asked(output, TOLD, LINES_OF, IDS, RECORDS))
        known = dict(results[0][2])
        before = [dict(asked(path, IDS)[0]) for path in paths]

    assert all(each == results[0] for each in results[1:])
    assert all(ids.keys() <= known.keys() for ids in before)


@settings(max_examples=10)
@given(st.integers(0, 1 << 32))
def test_bans_are_what_all_records_together_tell(seed: int) -> None:
    random = Random(seed)
    told = sorted(
        (each for ban in history(random, Manner(bans=3)) for each in ban.sightings),
        key=in_order,
    )
    parts = [told[::2], told[1::2]]
    with TemporaryDirectory() as folder:
        paths = [Path(folder, name) for name in ("a.db", "b.db")]
        for path, part in zip(paths, parts, strict=True):
            store_of(path, [(IPS[0], part)], seed)
        merged(paths, Path(folder, "all.db"))
        known = dict(asked(Path(folder, "all.db"), IDS)[0])
        (rows,) = asked(Path(folder, "all.db"), TOLD)

    bans = join(told).bans
    assert len(rows) == len(bans)
    for ban in bans:
        names = {
            id_of(each, HOST, IPS[0])
            for each in ban.sightings
            if each.kind in ("ban", "again")
        }
        assert len({known[name] for name in names if name in known}) == 1


@pytest.fixture
def two(tmp_path: Path) -> tuple[StoreBuilder, StoreBuilder]:
    return (
        StoreBuilder(tmp_path / "a.db", host="web1"),
        StoreBuilder(tmp_path / "b.db", host="web2"),
    )


def test_all_that_belongs_to_a_ban_comes_along(
    tmp_path: Path, two: tuple[StoreBuilder, StoreBuilder]
) -> None:
    for number, each in enumerate(two):
        each.record(event("192.0.2.7"), event(f"192.0.2.{20 + number}", jail="nginx"))
        each.record(event("192.0.2.7", jail="recidive", at=NOW + timedelta(minutes=5)))
        each.classify()
        each.learn(located("192.0.2.7"), located(f"192.0.2.{20 + number}"))
        each.mail(each.ids[0], state=OutboxState.SENT)
    paths = [each.path for each in two]
    before = [path.read_bytes() for path in paths]
    output = tmp_path / "all.db"

    assert merged(paths, output) == Merged(read=6, bans=6)

    whole = (
        "SELECT id, host, jail, ip, attack, attacks, repeat_of, country_code, origins, "
        "mail_state, lines FROM ban_log ORDER BY id"
    )
    expected = sorted(row for path in paths for row in asked(path, whole)[0])
    values = "SELECT ban_id, kind, value, lines FROM observed ORDER BY 1, 2, 3"
    assert asked(output, whole)[0] == expected
    assert asked(output, values)[0] == sorted(
        row for path in paths for row in asked(path, values)[0]
    )
    assert [path.read_bytes() for path in paths] == before
    found = "SELECT count(*) FROM log_lines_fts WHERE log_lines_fts MATCH 'admin'"
    assert asked(output, found) == [[(6,)]]
    # The look-ups of both servers, each at the same second, are the same.
    assert asked(output, "SELECT count(*) FROM enrichments") == [[(3,)]]
    assert not [file for file in tmp_path.iterdir() if file.name.startswith(".")]
    with open_writer(output) as store:
        assert not store.execute("PRAGMA foreign_key_check").fetchall()
        assert store.execute("PRAGMA integrity_check").fetchone()[0] == "ok"


def test_a_backup_and_its_store_are_the_store(
    tmp_path: Path, two: tuple[StoreBuilder, StoreBuilder]
) -> None:
    store, _ = two
    store.record(event("192.0.2.7"), event("192.0.2.8"))
    store.mail(store.ids[0], state=OutboxState.SENT)
    backup = tmp_path / "backup.db"
    backup.write_bytes(store.path.read_bytes())
    store.record(event("192.0.2.9", at=NOW + timedelta(hours=1)))
    store.classify()
    store.learn(located("192.0.2.7"))
    output = tmp_path / "all.db"

    assert merged([backup, store.path], output) == Merged(read=5, bans=3)

    tables = (
        "SELECT * FROM ban_log ORDER BY id",
        "SELECT recipient, state, message_id FROM outbox",
        "SELECT ban_id, position, line FROM log_lines ORDER BY 1, 2",
        "SELECT id, ban_id FROM ban_ids ORDER BY 1",
    )
    ours, theirs = asked(output, *tables), asked(store.path, *tables)
    keys = [row[0] for row in ours[0]]
    assert keys == [row[0] for row in theirs[0]]
    assert ours[1:] == theirs[1:]


def test_nothing_that_was_still_to_leave_leaves_twice(
    tmp_path: Path, two: tuple[StoreBuilder, StoreBuilder]
) -> None:
    store, other = two
    states = [OutboxState(state) for state in OutboxState]
    store.record(*(event(f"192.0.2.{n}") for n in range(len(states))))
    for ban, state in zip(store.ids, states, strict=True):
        store.mail(ban, state=state)
    other.record(event())
    output = tmp_path / "all.db"

    merged([other.path, store.path], output)

    became = dict(
        zip(
            [state.value for state in states],
            [
                row[0]
                for row in asked(output, "SELECT state FROM outbox ORDER BY id")[0]
            ],
            strict=True,
        )
    )
    waiting = {"due", "sending", "held"}
    assert became == {
        state: "skipped" if state in waiting else state for state in became
    }


def test_the_most_final_state_of_a_shared_mail_counts_in_any_order(
    tmp_path: Path, two: tuple[StoreBuilder, StoreBuilder]
) -> None:
    ranks = ("sent", "folded", "unsure", "dead", "skipped", "due", "sending", "held")
    pairs = list(product(ranks, repeat=2))
    store, other = two
    store.record(event())
    digest = store.mail(None, state=OutboxState.SENT)
    mails = [store.mail(store.ids[0]) for _ in pairs]
    other.path.write_bytes(store.path.read_bytes())
    other.mail(None)  # of its own, that their numbers are not the same
    for number, each in enumerate(two):
        with each.writing() as connection:
            for mail, pair in zip(mails, pairs, strict=True):
                state = pair[number]
                connection.execute(
                    "UPDATE outbox SET state = ?, sent_at = ?, folded_into = ?, "
                    "attempts = ?, last_error = ? WHERE id = ?",
                    (
                        state,
                        f"2026-11-21T2{number}:00:00Z" if state == "sent" else None,
                        digest if state == "folded" else None,
                        *(number, f"of {number}", mail),
                    ),
                )
    results = []
    for number, order in enumerate(permutations([store.path, other.path])):
        output = tmp_path / f"all{number}.db"
        merged(order, output)
        fates = (
            "SELECT mail.message_id, mail.state, mail.sent_at, mail.attempts, "
            "mail.last_error, digest.message_id FROM outbox AS mail "
            "LEFT JOIN outbox AS digest ON digest.id = mail.folded_into ORDER BY 1"
        )
        results.append(asked(output, fates)[0])
        in_their_order = "SELECT state FROM outbox WHERE ban_id NOTNULL ORDER BY id"
        became = [row[0] for row in asked(output, in_their_order)[0]]
        assert became == [
            "skipped" if best in ranks[4:] else best
            for best in (min(pair, key=ranks.index) for pair in pairs)
        ]

    assert results[0] == results[1]
    assert all(
        (state == "folded") == (into is not None) for _, state, *_, into in results[0]
    )


def test_what_is_kept_beside_a_shared_mail_is_the_same_in_any_order(
    tmp_path: Path, two: tuple[StoreBuilder, StoreBuilder]
) -> None:
    store, other = two
    mail = store.mail(None, state=OutboxState.SENT)
    other.path.write_bytes(store.path.read_bytes())
    for number, each in enumerate(two):
        with each.writing() as connection:
            connection.execute(
                "INSERT INTO bounces VALUES (?, ?, NULL, ?, NULL)",
                (mail, "2026-11-21T21:00:00Z", "5.1.1" if number else None),
            )
    bounces = []
    for number, order in enumerate(permutations([store.path, other.path])):
        output = tmp_path / f"all{number}.db"
        merged(order, output)
        bounces += asked(output, "SELECT bounced_at, status FROM bounces")

    assert bounces == [[("2026-11-21T21:00:00Z", "5.1.1")]] * 2


def test_an_unban_that_waits_in_one_store_ends_the_ban_of_another(
    tmp_path: Path, two: tuple[StoreBuilder, StoreBuilder]
) -> None:
    store, other = two
    store.record(event())
    unban = event(kind=EventKind.UNBAN, lines=())
    other.record(replace(unban, at=NOW + timedelta(hours=1)), host=store.host)
    assert asked(other.path, "SELECT ban_id, kind FROM waiting_events") == [
        [(store.ids[0], "unban")]
    ]
    for number, order in enumerate(permutations([store.path, other.path])):
        output = tmp_path / f"all{number}.db"
        merged(order, output)
        ended = "SELECT unbanned_at FROM bans"
        assert asked(output, ended) == [[("2026-11-21T21:14:03Z",)]]
        assert asked(output, "SELECT * FROM waiting_events") == [[]]


def test_lines_of_a_log_that_both_read_are_counted_once(
    tmp_path: Path, two: tuple[StoreBuilder, StoreBuilder]
) -> None:
    for number, each in enumerate(two):
        with each.writing() as connection:
            for log in ("of both", f"of {number}"):
                (read,) = connection.execute(
                    "INSERT INTO imports (kind, fingerprint, name, place, read_at, "
                    "is_finished, first_day, last_day) VALUES ('log', ?, 'f', '{}', "
                    "'2026-11-20T00:00:00Z', 1, '2026-11-01', ?) RETURNING id",
                    (log, f"2026-11-{8 + number:02}"),
                ).fetchone()
                connection.execute(
                    "INSERT INTO found_counts VALUES ('2026-11-05', '192.0.2.7', "
                    "'web1', 'sshd', ?, ?)",
                    (read, 5 + number),
                )
    for number, order in enumerate(permutations([each.path for each in two])):
        output = tmp_path / f"all{number}.db"
        merged(order, output)
        counts = (
            "SELECT fingerprint, last_day, lines FROM imports JOIN found_counts "
            "ON import_id = imports.id ORDER BY 1"
        )
        assert asked(output, counts)[0] == [
            ("of 0", "2026-11-08", 5),
            ("of 1", "2026-11-09", 6),
            ("of both", "2026-11-09", 6),
        ]


def test_the_later_purge_counts_and_takes_nothing_that_is_there(
    tmp_path: Path, two: tuple[StoreBuilder, StoreBuilder]
) -> None:
    for days, each in zip((10, 30), two, strict=True):
        each.record(event(at=NOW - timedelta(days=20)))
        with each.writing() as connection:
            limit = NOW - timedelta(days=days)
            retention.note(connection, Limits(lines=limit, bans=limit), now=NOW)
    output = tmp_path / "all.db"

    assert merged([each.path for each in two], output).bans == 2

    with open_reader(output) as store:
        assert retention.purged(store).bans == NOW - timedelta(days=10)


def test_an_older_schema_is_brought_up_to_date_in_a_copy(
    tmp_path: Path, two: tuple[StoreBuilder, StoreBuilder]
) -> None:
    store, other = two
    store.record(event())
    other.record(event())
    with closing(sqlite3.connect(store.path)) as db:
        db.execute("DELETE FROM _sqlite_migrations")
        db.execute("INSERT INTO _sqlite_migrations VALUES (1, 'other', 'x', '')")
        db.commit()
    before = store.path.read_bytes()

    ran = run("merge", store.path, other.path, "-o", tmp_path / "all.db")

    # Its first step cannot be taken twice, which shows that it was tried on a copy.
    assert (ran.code, ran.out) == (1, "")
    assert "already exists" in ran.err
    assert ran.err.startswith(f"f2b-enrich: store {store.path}: ")
    assert store.path.read_bytes() == before
    assert sorted(file.name for file in tmp_path.glob("*all*")) == []


def test_what_cannot_be_merged_is_told_in_one_line(
    tmp_path: Path, two: tuple[StoreBuilder, StoreBuilder]
) -> None:
    store, other = two
    store.record(event())
    other.record(event())
    alien, newer, text = (tmp_path / f"{n}.db" for n in ("alien", "newer", "text"))
    with closing(sqlite3.connect(alien)) as db:
        db.execute("CREATE TABLE recipes (name)")
    newer.write_bytes(store.path.read_bytes())
    with closing(sqlite3.connect(newer)) as db:
        db.execute(
            "INSERT INTO _sqlite_migrations SELECT NULL, migration_set, 'next', "
            "applied_at FROM _sqlite_migrations LIMIT 1"
        )
        db.commit()
    text.write_text("no database, but longer than nothing\n" * 100)
    link = tmp_path / "link.db"
    link.symlink_to(store.path)
    output = tmp_path / "all.db"
    for words, told in (
        ((store.path, link), "the same store as"),
        ((store.path, alien), "another program's database"),
        ((store.path, newer), "a newer f2b-enrich wrote it"),
        ((store.path, text), "file is not a database"),
        ((store.path, tmp_path / "none.db"), "unable to open"),
    ):
        ran = run("merge", *words, "-o", output)
        assert (ran.code, ran.out) == (1, ""), told
        assert told in ran.err
        assert ran.err.count("\n") == 1
        assert not output.exists()
    assert run("merge", store.path, other.path, "-o", other.path).code == 1
    assert run("merge", store.path, "-o", output).code == 2
    assert run("merge", store.path, other.path, "-o", tmp_path / "x" / "y").code == 1


@pytest.mark.parametrize("table", ["log_lines", "bans"])
@pytest.mark.parametrize("which", [0, 1])
def test_a_store_that_is_damaged_deep_inside_is_named(
    tmp_path: Path, two: tuple[StoreBuilder, StoreBuilder], which: int, table: str
) -> None:
    for each in two:
        each.record(event())
    damaged = two[which].path
    with open_reader(damaged) as store:
        (size,) = store.execute("PRAGMA page_size").fetchone()
        (page,) = store.execute(
            "SELECT rootpage FROM sqlite_schema WHERE name = ?", (table,)
        ).fetchone()
    with damaged.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * size)

    ran = run("merge", *(each.path for each in two), "-o", tmp_path / "all.db")

    told = "database disk image is malformed"
    assert ran == Ran(1, "", f"f2b-enrich: store {damaged}: {told}\n")


def test_the_command_tells_what_it_made(
    tmp_path: Path, two: tuple[StoreBuilder, StoreBuilder]
) -> None:
    for each in two:
        each.record(event())
    paths = [each.path for each in two]

    ran = run("merge", *paths, "-o", tmp_path / "all.db")

    assert (ran.code, ran.err) == (0, "")
    assert ran.out == f"{tmp_path}/all.db: 2 bans\n"
