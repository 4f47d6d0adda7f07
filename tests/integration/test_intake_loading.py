"""Logs loaded at once into a store: as if their lines had been taken one by one."""

from __future__ import annotations

import fcntl
import shutil
import sqlite3
import threading
from collections import Counter
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from f2b_enrich.attacks import REPEAT_OFFENDER
from f2b_enrich.errors import StoreError
from f2b_enrich.importing.records import Record
from f2b_enrich.intake import loading, target, writing
from f2b_enrich.intake.naming import Names
from f2b_enrich.intake.portions import Portion, Step
from f2b_enrich.intake.stopping import Stop, StoppedError
from f2b_enrich.intake.writing import Writer
from f2b_enrich.joining.sightings import Sighting
from f2b_enrich.model import time_text
from f2b_enrich.store import loading as store_loading
from f2b_enrich.store import retention
from f2b_enrich.store.connection import open_writer, openers_waiting, transaction
from f2b_enrich.store.intake import Brought, take_in
from f2b_enrich.store.jails import KnownJail, note
from f2b_enrich.store.retention import Limits
from tests import imports

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from f2b_enrich.importing.log_batches import LogEvent

NOW = datetime(2026, 11, 22, tzinfo=UTC)
BEGIN = int((NOW - timedelta(days=10)).timestamp())
NAMES = Names(host="web1")
REPEATING = "recidive"
DAY = date(2026, 11, 12)
# What a ban is called, its `announced_at`, and its origins besides those of the records
# that it has in the end depend on which record came first.
# Of several in one second the id tells which is repeated, so it is known by its time.
CONTENTS = {
    "bans": """
        SELECT bans.host, bans.jail, bans.ip, bans.ip_version, bans.subnet,
        bans.banned_at, bans.banned_at_source, bans.bantime_seconds, bans.expires_at,
        bans.unbanned_at, bans.failures, bans.ban_count,
        bans.received_at, bans.lines_received, bans.look_up, repeated.banned_at
        FROM bans LEFT JOIN bans AS repeated ON repeated.id = bans.repeat_of
    """,
    "records": """
        SELECT ban_records.ip, ban_records.host, at, kind, precision,
        ban_records.origin, ban_records.jail, ends_at, message_id, failed_at, alert_of,
        bans.jail, bans.banned_at
        FROM ban_records LEFT JOIN bans ON bans.id = ban_id
    """,
    "hosts": "SELECT * FROM hosts",
    "jails": "SELECT * FROM jails",
    "found": "SELECT * FROM found_counts",
    "imports": """
        SELECT kind, fingerprint, name, place, first_day, last_day FROM imports
    """,
    "schema": "SELECT type, name, sql FROM sqlite_schema",
}

ips = st.sampled_from(["192.0.2.7", "192.0.2.8", "2001:db8::7", "attacker.example.org"])
times = st.integers(0, 200).map(lambda step: BEGIN + 100 * step)
jails = st.sampled_from(["sshd", "sshd", "dovecot", REPEATING])
bans = st.builds(
    lambda at, jail, ip, lasted: [
        (at, "ban", jail, ip),
        *([(at + lasted, "unban", jail, ip)] if lasted is not None else []),
    ],
    times,
    jails,
    ips,
    st.sampled_from([None, 0, 7, 600, 5000]),
)
event_lists = (
    st.lists(bans, max_size=6)
    .map(lambda some: [line for ban in some for line in ban])
    .flatmap(lambda lines: st.sampled_from([sorted(lines), lines]))
)
records = st.builds(
    lambda kind, at, jail, ip: Record(
        kind=kind[0],
        ip=ip,
        jail=jail,
        at=datetime.fromtimestamp(at, UTC),
        time_source="ban",
        origin="log",
        is_restored=kind[1],
        bantime_seconds=kind[2],
    ),
    st.sampled_from([("ban", True, None), ("prolong", False, -1), ("ban", False, -1)]),
    times,
    jails,
    ips,
)
known = st.lists(
    st.tuples(
        ips,
        st.builds(
            lambda kind, at, jail: Brought(
                sighting=Sighting(*kind, at, jail),  # type: ignore[call-arg]
                reference="",
            ),
            st.sampled_from(
                [
                    ("ban", "failure", "live"),
                    ("ban", "failure", "fail2ban-db"),
                    ("ban", "mailed", "mail"),
                    ("unban", "logged", "live"),
                ]
            ),
            times,
            jails,
        ),
    ),
    max_size=4,
)


class Part:
    """What a portion is made of: it is used up when it is written."""

    def __init__(
        self,
        log: str,
        events: Sequence[LogEvent],
        others: Sequence[Record],
        found: int,
    ) -> None:
        self.log = log
        self.events = events
        self.others = others
        self.found = found

    def __repr__(self) -> str:
        return f"Part({self.log!r}, {self.events}, {self.others}, {self.found})"

    def portion(self, positions: Counter[str]) -> Portion:
        portion = Portion()
        portion.add_events(self.events, NAMES, reference=self.log, now=NOW)
        for record in self.others:
            portion.add(record, NAMES, reference=self.log, now=NOW)
        start = positions[self.log]
        positions[self.log] += 100
        step = Step(
            kind="log",
            name=self.log,
            fingerprint=f"of {self.log}",
            host="web1",
            start=start,
            place={"position": positions[self.log]},
        )
        if self.found:
            key = ("web1", "sshd", "192.0.2.7", DAY + timedelta(days=self.found % 2))
            step.found[key] = self.found
        portion.steps.append(step)
        portion.pack()
        return portion


parts = st.lists(
    st.builds(
        Part,
        st.sampled_from(["fail2ban.log", "fail2ban.log", "old.log"]),
        event_lists,
        st.lists(records, max_size=2),
        st.integers(0, 3),
    ),
    min_size=1,
    max_size=4,
)


def a_known_jail(name: str) -> KnownJail:
    attack = REPEAT_OFFENDER if name == REPEATING else "brute-force"
    return KnownJail(jail=name, service="ssh", attack=attack, origin="shipped")


@contextmanager
def a_store(
    before_them: Sequence[tuple[str, Brought]] = (), *, purged: datetime | None = None
) -> Iterator[sqlite3.Connection]:
    with (
        TemporaryDirectory() as folder,
        open_writer(Path(folder, "bans.db")) as connection,
    ):
        with transaction(connection):
            for ip, brought in before_them:
                note(connection, a_known_jail(brought.sighting.jail or ""))
                brought_of = {("web1", ip): [brought]}
                take_in(connection, brought_of, now=NOW, look_up="local")
            if purged is not None:
                limits = Limits(lines=None, bans=purged)
                retention.note(connection, limits, now=NOW)
        yield connection


@contextmanager
def a_writer(
    store: sqlite3.Connection,
    is_daemon_there: Callable[[], bool],
    *,
    pause: Callable[[float], None] = lambda _: None,
) -> Iterator[tuple[Writer, Stop]]:
    with imports.a_writer(
        store,
        now=NOW,
        is_daemon_there=is_daemon_there,
        pause=pause,
        known_jail=a_known_jail,
    ) as writer:
        yield writer


def written(
    store: sqlite3.Connection,
    some: Sequence[Part],
    is_daemon_there: Callable[[], bool] = lambda: False,
    between: Callable[[], None] = lambda: None,
) -> Counter[str]:
    positions = Counter[str]()
    with a_writer(store, is_daemon_there) as (writer, _):
        for part in some:
            writer.add(part.portion(positions))
            between()
        writer.flush()
    return writer.taken


def contents(store: sqlite3.Connection) -> dict[str, list[tuple[Any, ...]]]:
    return {
        name: sorted(map(tuple, store.execute(query)), key=repr)
        for name, query in CONTENTS.items()
    }


@settings(max_examples=150, deadline=None)
@given(
    known,
    parts,
    st.sampled_from([1, 4, 1000]),
    st.sampled_from([1, 3, 1000]),
)
def test_what_is_loaded_is_what_is_taken_in_line_by_line(
    before_them: list[tuple[str, Brought]],
    some: list[Part],
    most: int,
    at_once: int,
) -> None:
    with (
        pytest.MonkeyPatch.context() as patch,
        a_store(before_them) as loaded,
        a_store(before_them) as line_by_line,
    ):
        patch.setattr(loading, "MOST_LOADED", most)
        patch.setattr(store_loading, "AT_ONCE", at_once)
        written(loaded, some)
        written(line_by_line, some, is_daemon_there=lambda: True)

        assert contents(loaded) == contents(line_by_line)
        assert loaded.execute("PRAGMA integrity_check").fetchone()[0] == "ok"


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.builds(
            Part,
            st.sampled_from(["fail2ban.log", "old.log"]),
            event_lists,
            st.just(()),
            st.integers(0, 3),
        ),
        min_size=1,
        max_size=4,
    ),
    st.sampled_from([3000, 12000]),
)
def test_what_was_purged_is_not_brought_back(some: list[Part], purged: int) -> None:
    """An end of what is not brought back may be taken for that of another ban."""
    before = datetime.fromtimestamp(BEGIN + purged, UTC)
    with a_store(purged=before) as loaded, a_store(purged=before) as line_by_line:
        written(loaded, some)
        written(line_by_line, some, is_daemon_there=lambda: True)

        assert beginnings(loaded) == beginnings(line_by_line)
        assert all(at >= time_text(before) for _, _, at in beginnings(loaded))
        assert contents(loaded)["found"] == contents(line_by_line)["found"]


def beginnings(store: sqlite3.Connection) -> set[tuple[Any, ...]]:
    return set(map(tuple, store.execute("SELECT ip, jail, banned_at FROM bans")))


@settings(max_examples=60, deadline=None)
@given(parts, st.integers(0, 8))
def test_a_daemon_that_starts_meanwhile_changes_nothing(
    some: list[Part], looks: int
) -> None:
    left = iter([False] * looks)
    with a_store() as loaded, a_store() as line_by_line:
        written(loaded, some, is_daemon_there=lambda: next(left, True))
        written(line_by_line, some, is_daemon_there=lambda: True)

        assert contents(loaded) == contents(line_by_line)


def test_a_row_is_that_of_a_line_taken_by_itself() -> None:
    with a_store() as loaded, a_store() as line_by_line:
        taken = written(loaded, a_log())

        assert taken == written(line_by_line, a_log(), is_daemon_there=lambda: True)
        assert taken["new"] == 2
        assert every_column(loaded) == every_column(line_by_line)


def every_column(store: sqlite3.Connection) -> list[tuple[Any, ...]]:
    return list(map(tuple, store.execute("SELECT * FROM bans ORDER BY id")))


LINES: tuple[LogEvent, ...] = (
    (BEGIN, "ban", "sshd", "192.0.2.7"),
    (BEGIN + 600, "unban", "sshd", "192.0.2.7"),
    (BEGIN + 700, "ban", "sshd", "192.0.2.8"),
)


def many_bans(count: int) -> list[LogEvent]:
    return [
        (BEGIN + number, "ban", "sshd", f"2001:db8::{number:x}")
        for number in range(count)
    ]


def bans_in(store: sqlite3.Connection) -> list[tuple[Any, ...]]:
    rows = store.execute("SELECT ip, banned_at, unbanned_at FROM bans ORDER BY ip")
    return list(map(tuple, rows))


def a_log(number: int = 1) -> list[Part]:
    return [Part("fail2ban.log", LINES, (), number)]


def file_of(store: sqlite3.Connection) -> Path:
    return Path(store.execute("PRAGMA database_list").fetchone()["file"])


def test_a_ban_that_somebody_else_records_meanwhile_stays_one() -> None:
    live = Brought(
        sighting=Sighting("ban", "failure", "live", BEGIN - 2, "sshd"), reference=""
    )

    def record() -> None:
        with open_writer(file_of(store)) as other, transaction(other):
            brought = {("web1", "192.0.2.7"): [live]}
            take_in(other, brought, now=NOW, look_up="full")

    with a_store() as store, a_store() as expected:
        written(store, a_log(), between=record)
        with transaction(expected):
            brought = {("web1", "192.0.2.7"): [live]}
            take_in(expected, brought, now=NOW, look_up="full")
        written(expected, a_log(), is_daemon_there=lambda: True)

        assert len(bans_in(store)) == 2
        assert bans_in(store) == bans_in(expected)
        assert contents(store)["found"] == contents(expected)["found"]


def test_somebody_else_may_write_while_bans_are_given_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(writing, "MOST_ADDRESSES", 2)
    monkeypatch.setattr(store_loading, "ADDRESSES_GIVEN", 3)
    many = many_bans(20)
    looks = iter([False])

    def is_daemon_there() -> bool:
        return next(looks, True)

    def note_a_host(_: float) -> None:
        with transaction(daemon):
            daemon.execute("UPDATE hosts SET timezone = hex(randomblob(8))")

    with (
        a_store() as store,
        open_writer(file_of(store)) as daemon,
        a_writer(store, is_daemon_there, pause=note_a_host) as (writer, _),
    ):
        writer.add(Part("fail2ban.log", many, (), 1).portion(Counter()))
        writer.add(Portion())
        writer.flush()

        assert len(bans_in(store)) == len(many)
        assert writer.taken["new"] == len(many)


def test_a_daemon_that_starts_before_the_end_is_not_kept_waiting() -> None:
    """However long the last part of a log was waited for."""
    statements: list[str] = []
    looks = iter([False])
    with a_store() as store, a_store() as line_by_line:
        with a_writer(store, lambda: next(looks, True)) as (writer, _):
            writer.add(a_log()[0].portion(Counter()))
            store.set_trace_callback(statements.append)
            writer.flush()
            store.set_trace_callback(None)
        written(line_by_line, a_log(), is_daemon_there=lambda: True)

        assert not [each for each in statements if "DROP INDEX" in each]
        assert contents(store) == contents(line_by_line)


def test_a_daemon_that_starts_before_places_are_noted_is_not_kept_waiting() -> None:
    statements: list[str] = []
    with a_store() as store, a_store() as line_by_line:

        def is_daemon_there() -> bool:
            return bool(bans_in(store))

        with a_writer(store, is_daemon_there) as (writer, _):
            writer.add(a_log()[0].portion(Counter()))
            store.set_trace_callback(statements.append)
            writer.flush()
            store.set_trace_callback(None)
        written(line_by_line, a_log(), is_daemon_there=lambda: True)

        assert [each for each in statements if "DROP INDEX" in each]
        assert not [each for each in statements if "FROM loaded_found" in each]
        assert contents(store) == contents(line_by_line)


def test_a_daemon_that_starts_finds_what_was_written_copied_back() -> None:
    """It would do that itself while its first ban waits: half a gigabyte."""
    with a_store() as store:

        def is_daemon_there() -> bool:
            return bool(bans_in(store))

        written(store, a_log(), is_daemon_there)
        with closing(sqlite3.connect(copy_of(file_of(store)))) as copy:
            assert len(copy.execute("SELECT ip FROM bans").fetchall()) == 2


def copy_of(store: Path) -> Path:
    """Copy a store without its write-ahead log."""
    return Path(shutil.copy(store, store.with_name("copy.db")))


def test_gathering_that_fails_leaves_no_transaction() -> None:
    with a_store() as store:
        load = store_loading.Load(store)
        with pytest.raises(OverflowError):
            load.add_found([(0, "2026-11-12", "192.0.2.7", "web1", "sshd", 1 << 64)])

        assert not store.in_transaction


def test_an_index_of_the_administrators_own_stays() -> None:
    with a_store() as store:
        store.execute('CREATE INDEX "by ""host""" ON bans (host)')
        schema = contents(store)["schema"]
        written(store, a_log())

        assert len(bans_in(store)) == 2
        assert contents(store)["schema"] == schema


def test_who_opens_the_store_waits_until_places_are_noted() -> None:
    """They would give up after ten seconds; millions of counts take longer."""
    waiting: list[bool] = []

    def look(statement: str) -> None:
        if "INTO found_counts" in statement:
            lock = file_of(store).with_name("bans.db.lock")
            with lock.open("rb") as file:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    waiting.append(True)
                else:
                    waiting.append(False)

    with a_store() as store, a_writer(store, lambda: False) as (writer, _):
        writer.add(a_log()[0].portion(Counter()))
        store.set_trace_callback(look)
        writer.flush()
        store.set_trace_callback(None)

    assert waiting == [True]


def test_bans_written_before_somebody_else_wrote_are_counted_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In parts, where the store has many already."""
    monkeypatch.setattr(store_loading, "AT_ONCE", 10)
    many = many_bans(60)
    begun = 0

    def disturb(statement: str) -> None:
        nonlocal begun
        begun += statement == "BEGIN IMMEDIATE"
        if begun == 2 and not in_store:
            in_store.append(len(bans_in(other)))
            with transaction(other):
                other.execute("UPDATE hosts SET timezone = hex(randomblob(8))")

    in_store: list[int] = []
    with a_store() as store, open_writer(file_of(store)) as other:
        written(store, [Part("old.log", many[:40], (), 1)])
        with a_writer(store, lambda: False) as (writer, _):
            writer.add(Part("fail2ban.log", many[40:], (), 1).portion(Counter()))
            store.set_trace_callback(disturb)
            writer.flush()
            store.set_trace_callback(None)

        assert in_store == [50]
        assert len(bans_in(store)) == len(many)
        assert writer.taken["new"] == 20


def test_whoever_stops_it_finds_the_store_as_it_was() -> None:
    with a_store() as store, a_writer(store, lambda: False) as (writer, stop):
        writer.add(a_log()[0].portion(Counter()))
        before = contents(store)
        stop.want()
        with pytest.raises(StoppedError):
            writer.flush()

        assert not store.in_transaction
        assert contents(store) == before
        assert bans_in(store) == []


def test_a_statement_is_stopped_in_the_middle(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the signal's handler, which runs while SQLite does."""
    with a_store() as store, a_writer(store, lambda: False) as (writer, stop):
        many = many_bans(20_000)
        writer.add(Part("fail2ban.log", many, (), 1).portion(Counter()))
        schema = contents(store)["schema"]
        store.set_trace_callback(
            lambda statement: stop.want() if "INTO bans" in statement else None
        )
        monkeypatch.setattr(target, "_STEPS_OF_MACHINE", 1000)
        with pytest.raises(StoppedError):
            writer.flush()
        store.set_trace_callback(None)

        assert bans_in(store) == []
        assert contents(store)["schema"] == schema
        with a_writer(store, lambda: False) as (again, _):
            again.add(Part("fail2ban.log", many, (), 1).portion(Counter()))
            again.flush()
        assert len(bans_in(store)) == len(many)
        assert again.taken["new"] == len(many)


def test_a_full_disk_leaves_the_store_as_it_was() -> None:
    with a_store() as store, a_writer(store, lambda: False) as (writer, _):
        many = many_bans(5000)
        writer.add(Part("fail2ban.log", many, (), 1).portion(Counter()))
        before = contents(store)
        pages = store.execute("PRAGMA page_count").fetchone()[0]
        store.execute(f"PRAGMA max_page_count = {pages + 20}")
        with pytest.raises(sqlite3.OperationalError, match="full"):
            writer.flush()

        assert contents(store) == before
        assert store.execute("PRAGMA integrity_check").fetchone()[0] == "ok"


def test_without_room_for_temporary_files_it_says_so() -> None:
    with a_store() as store, a_writer(store, lambda: False) as (writer, _):
        store.execute("CREATE TEMP TABLE first (a)")
        store.execute("PRAGMA temp.max_page_count = 10")
        writer.add(Part("log", many_bans(5000), (), 0).portion(Counter()))
        with pytest.raises(StoreError, match=r"SQLITE_TMPDIR.*/var/tmp.* is full"):
            writer.flush()

        assert not store.in_transaction
        assert bans_in(store) == []


@pytest.mark.parametrize("name", ["bans.db", "link.db"])
def test_who_opens_the_store_for_writing_waits_for_it(
    tmp_path: Path, name: str
) -> None:
    path = tmp_path / name
    (tmp_path / "link.db").symlink_to("bans.db")
    with open_writer(tmp_path / "bans.db"):
        pass
    opened = threading.Event()

    def open_it() -> None:
        with open_writer(path):
            opened.set()

    with open_writer(path) as store:
        waiting = threading.Thread(target=open_it)
        with openers_waiting(store):
            waiting.start()
            assert not opened.wait(0.3)
        waiting.join(30)
    assert opened.is_set()


def test_readers_go_on_meanwhile() -> None:
    read: list[int] = []

    def look(statement: str) -> None:
        if "CREATE INDEX" in statement:
            with closing(sqlite3.connect(file_of(store), timeout=0)) as other:
                read.append(other.execute("SELECT count(*) FROM bans").fetchone()[0])

    with a_store() as store, a_writer(store, lambda: False) as (writer, _):
        writer.add(a_log()[0].portion(Counter()))
        path = file_of(store)
        assert path.exists()
        store.set_trace_callback(look)
        writer.flush()
        store.set_trace_callback(None)
        assert read
        assert set(read) == {0}
        assert len(bans_in(store)) == 2
