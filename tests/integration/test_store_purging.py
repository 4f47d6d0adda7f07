"""A purge takes what is too old, all of it and nothing else, beside whoever writes."""

from __future__ import annotations

import asyncio
import itertools
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from f2b_enrich.classify.jails import shipped_jails
from f2b_enrich.classify.rules import load, shipped
from f2b_enrich.cli.classify_all import Reclassing
from f2b_enrich.daemon.analysis import Analysis
from f2b_enrich.mail.campaigns import pieces
from f2b_enrich.model import Campaign, EventKind
from f2b_enrich.store import bans, campaigns, retention, search, wiping
from f2b_enrich.store.connection import open_reader, open_writer
from f2b_enrich.store.lines import MAX_LINES
from f2b_enrich.store.purging import EVENTS_AT_ONCE, LINES_AT_ONCE, PAGE, Purge
from f2b_enrich.store.retention import Limits, Removed
from f2b_enrich.store.turns import LONGEST_TRANSACTION, SHORTEST_PAUSE
from tests.cli import run
from tests.clock import Seconds
from tests.daemons import TIME, living
from tests.stores import DAY, LINES, NOW, StoreBuilder, event, located

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from f2b_enrich.model import Event

DEADLINE = 60.0
OLD = NOW - timedelta(days=200)
HALF_A_YEAR = Limits.of_days(lines=180, bans=0, now=NOW)
A_YEAR = Limits.of_days(lines=180, bans=365, now=NOW)
ANCIENT = NOW - timedelta(days=400)
SECRET = "Nov 21 20:13:22 web1 sshd[7]: Failed password for xylophone77 from 192.0.2.9"

RULE = """\
[[rule]]
name = "root-is-mine"
attack = "known-exploit"
pattern = 'sshd.* for (?P<username>root) from'
example = 'sshd for root from'
shows = {username = "root"}
"""


@pytest.fixture
def store(tmp_path: Path) -> StoreBuilder:
    return StoreBuilder(tmp_path / "bans.db")


def purging(
    connection: sqlite3.Connection,
    limits: Limits = HALF_A_YEAR,
    *,
    clock: Seconds | None = None,
    pause: Callable[[float], None] | None = None,
) -> Purge:
    clock = clock or Seconds()
    return Purge(
        connection,
        limits,
        now=lambda: NOW,
        clock=clock,
        pause=pause or clock.pause,
    )


def purge(store: StoreBuilder, limits: Limits = HALF_A_YEAR) -> Removed:
    with open_writer(store.path) as connection:
        run = purging(connection, limits)
        assert run.run()
    is_sound(store)
    return run.removed


def asked(store: StoreBuilder, question: str) -> list[tuple[Any, ...]]:
    with store.reading() as connection:
        return [tuple(row) for row in connection.execute(question)]


def index(connection: sqlite3.Connection) -> None:
    """Take all lines into the search index, as the daemon does when nobody waits."""
    while search.index_new_lines(connection):
        pass


def is_sound(store: StoreBuilder) -> None:
    """The file holds together, and the index has the lines that are there."""
    with open_writer(store.path) as connection:
        index(connection)
        assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        connection.execute(
            "INSERT INTO log_lines_fts (log_lines_fts, rank) "
            "VALUES ('integrity-check', 1)"
        )


def record_captured(store: StoreBuilder, what: Event, *names: str) -> None:
    """Record a ban whose filter named users itself."""
    captures = tuple(("username", name) for name in names)
    with store.writing() as connection:
        bans.record(
            connection, what, host="web1", jail=what.jail, now=NOW, captures=captures
        )


def many(store: StoreBuilder, count: int, *, lines: tuple[str, ...] = LINES) -> None:
    minute = timedelta(minutes=1)
    store.record(*(event(at=OLD - n * minute, lines=lines) for n in range(count)))
    with store.writing() as connection:
        index(connection)
    store.classify()


# --- lines, values, names -------------------------------------------------------------


def test_an_old_ban_loses_its_lines_and_keeps_what_they_showed(
    store: StoreBuilder,
) -> None:
    store.record(event(at=OLD), event("192.0.2.8"))
    store.learn(located(at=OLD))
    store.classify()
    kept = "SELECT * FROM ban_attacks"
    attacks = asked(store, kept)
    row = "SELECT attack, repeat_of, enrichment_id, lines_received FROM bans"
    before = asked(store, row)

    assert purge(store) == Removed(stripped=1, lines=2, values=1)

    assert asked(store, kept) == attacks
    assert asked(store, row) == before
    assert asked(store, "SELECT DISTINCT ban_id FROM log_lines") == [(store.ids[1],)]
    assert asked(store, "SELECT DISTINCT ban_id FROM observed") == [(store.ids[1],)]
    assert run("search", "root", "--db", store.path).out.count("sshd[") == 1
    shown = run("show", "192.0.2.7", "--all", "--lines", "--db", store.path)
    assert (shown.code, shown.err) == (0, "")
    assert "Amsterdam" in shown.out


def test_nothing_is_left_to_remove_then(store: StoreBuilder) -> None:
    many(store, 3)
    purge(store)

    assert purge(store) == Removed()
    assert asked(store, "SELECT what, is_finished FROM purged") == [("lines", 1)]


def test_everything_is_kept_for_ever_if_that_is_wanted(store: StoreBuilder) -> None:
    many(store, 3)

    assert purge(store, Limits(lines=None, bans=None)) == Removed()
    assert asked(store, "SELECT count(*) FROM log_lines") == [(6,)]
    with store.reading() as connection:
        assert retention.last_purge(connection) == NOW


def test_names_that_fail2bans_filter_found_go_too(store: StoreBuilder) -> None:
    record_captured(store, event(at=OLD, lines=()), "xylophone77")
    record_captured(store, event("192.0.2.8", lines=()), "root")
    store.classify()

    assert purge(store) == Removed(stripped=1, values=1)
    assert asked(store, "SELECT captures FROM bans ORDER BY ip") == [
        (None,),
        ('[["username", "root"]]',),
    ]
    assert b"xylophone77" not in store.path.read_bytes()


def test_a_late_ban_keeps_its_lines_until_it_was_classed(store: StoreBuilder) -> None:
    late = event(at=OLD)
    with store.writing() as connection:
        bans.record(connection, late, host="web1", jail="sshd", now=NOW)
    assert purge(store) == Removed()

    store.classify()

    assert purge(store).lines == 2
    assert asked(store, "SELECT attack FROM bans") == [("ssh-password-guessing",)]


def test_one_that_cannot_be_classed_loses_them_after_a_day(store: StoreBuilder) -> None:
    store.record(event(at=OLD))

    assert purge(store).lines == 2
    store.classify()
    assert asked(store, "SELECT attack FROM bans") == [("ssh-password-guessing",)]


def test_other_rules_leave_a_class_whose_lines_are_gone(store: StoreBuilder) -> None:
    guess = "Nov 21 20:13:22 web1 sshd[7]: Failed password for root from 192.0.2.7"
    probe = '192.0.2.8 - - [21/Nov/2026:20:13:22 +0100] "GET /.env HTTP/1.1" 404 1 "-"'
    store.record(event(at=OLD, lines=(guess,)), event("192.0.2.8", at=OLD, jail="x"))
    store.record(event("192.0.2.9", at=OLD, jail="web", lines=(probe,)))
    store.classify()
    query = "SELECT ban_id, attack, lines FROM ban_attacks"
    before = asked(store, query)
    purge(store)
    other = Analysis((*load(RULE, origin="own"), *shipped()), (), shipped_jails())
    clock = Seconds()

    with open_writer(store.path) as connection:
        reclassing = Reclassing(
            connection, other, now=lambda: NOW, clock=clock, pause=clock.pause
        )
        assert sum(reclassing.steps()) == 3

    assert reclassing.done.kept == 3
    assert asked(store, query) == before
    assert ("credentials-probe",) in asked(store, "SELECT attack FROM bans")


def a_walk(first_at: datetime, last_at: datetime, *, who: str) -> Campaign:
    return Campaign(
        kind="user-name-enumeration",
        scope="address",
        who=who,
        first_at=first_at,
        last_at=last_at,
        bans=30,
        addresses=1,
        names=40,
        in_order=True,
        first_name="aaron",
        last_name="zoe",
    )


def test_a_campaign_that_is_over_goes_and_one_that_goes_on_loses_its_first_name(
    store: StoreBuilder,
) -> None:
    over = a_walk(OLD, OLD + timedelta(days=9), who="192.0.2.1")
    long = a_walk(OLD, NOW, who="192.0.2.2")
    young = a_walk(NOW - timedelta(days=9), NOW, who="192.0.2.3")
    with store.writing() as connection:
        for each in (over, long, young):
            campaigns.save(connection, each, now=NOW)
    with store.reading() as connection:
        found = retention.would_remove(connection, HALF_A_YEAR, now=NOW)

    assert purge(store) == found == Removed(campaigns=2)
    assert asked(store, "SELECT who, first_name, last_name FROM campaigns") == [
        ("192.0.2.2", "", "zoe"),
        ("192.0.2.3", "aaron", "zoe"),
    ]
    assert purge(store) == Removed()
    with store.reading() as connection:
        (left,) = campaigns.of(
            connection, ip="192.0.2.2", subnet=None, asn=None, at=NOW
        )
    told = " ".join(pieces(left, None))
    assert "40 names in 30 bans" in told


def test_events_whose_ban_never_came_go(store: StoreBuilder) -> None:
    unbans = [
        event("192.0.2.7", at=OLD - timedelta(minutes=n), kind=EventKind.UNBAN)
        for n in range(EVENTS_AT_ONCE + 2)
    ]
    store.record(*unbans, event(kind=EventKind.UNBAN))

    assert purge(store) == Removed(events=EVENTS_AT_ONCE + 2)
    assert asked(store, "SELECT count(*) FROM waiting_events") == [(1,)]


# --- whole bans -----------------------------------------------------------------------


def test_a_ban_goes_with_all_that_belongs_to_it(store: StoreBuilder) -> None:
    ancient, repeated = store.record(
        event(at=ANCIENT), event(at=ANCIENT + timedelta(hours=1), jail="recidive")
    )
    store.learn(located(at=ANCIENT))
    (kept,) = store.record(event())
    store.learn(located())
    store.classify()
    store.mail(ancient)
    store.mail(kept)
    with store.writing() as connection:
        connection.execute("INSERT INTO other_ids VALUES ('x', ?)", (ancient,))
        connection.execute(
            "INSERT INTO other_origins VALUES (?, 'log', '', '')", (ancient,)
        )
        connection.executemany(
            "INSERT INTO ban_records VALUES "
            "('x', 'h', ?, 'unban', 'logged', 'log', '', -1, '', -1, '', ?)",
            [
                (int(ANCIENT.timestamp()), ancient),
                (int(ANCIENT.timestamp()) + 1, None),
                (int(NOW.timestamp()), None),
            ],
        )
    assert (ancient,) in asked(store, "SELECT repeat_of FROM bans")

    assert purge(store, A_YEAR).bans == 2
    assert asked(store, "SELECT at FROM ban_records") == [(int(NOW.timestamp()),)]

    assert asked(store, "SELECT id FROM bans") == [(kept,)]
    assert repeated != kept
    for table in ("log_lines", "observed", "ban_attacks", "outbox"):
        assert asked(store, f"SELECT DISTINCT ban_id FROM {table}") == [(kept,)]  # noqa: S608
    assert asked(store, "SELECT * FROM other_ids, other_origins") == []
    assert asked(store, "SELECT id FROM enrichments") == [(2,)]
    assert asked(store, "SELECT what FROM purged") == [("bans",), ("lines",)]


def test_what_repeated_a_ban_that_is_gone_repeats_nothing(store: StoreBuilder) -> None:
    edge = NOW - timedelta(days=365)
    store.record(
        event(at=edge - timedelta(hours=1)),
        event(at=edge + timedelta(hours=1), jail="recidive"),
    )
    store.classify()

    assert purge(store, A_YEAR).bans == 1
    assert asked(store, "SELECT jail, repeat_of FROM bans") == [("recidive", None)]


def test_a_look_up_that_another_ban_points_at_stays(store: StoreBuilder) -> None:
    edge = NOW - timedelta(days=365)
    store.record(event(at=edge - timedelta(hours=1)), event(at=edge))
    store.learn(located(at=edge))

    assert purge(store, A_YEAR).bans == 1
    assert asked(store, "SELECT count(*) FROM enrichments") == [(1,)]
    assert asked(store, "SELECT country FROM ban_log") == [("Netherlands",)]


def test_look_ups_of_an_address_go_with_its_last_ban(store: StoreBuilder) -> None:
    store.record(event(at=ANCIENT))
    store.learn(located(at=ANCIENT), located(at=NOW), located("192.0.2.8"))

    assert purge(store, A_YEAR).bans == 1
    assert asked(store, "SELECT ip FROM enrichments") == [("192.0.2.8",)]


# --- nothing readable -----------------------------------------------------------------


def words_in_index(path: Path) -> set[str]:
    """Read the words that the search index holds, deleted or not."""
    with closing(sqlite3.connect(path)) as connection:
        blocks = connection.execute("SELECT block FROM log_lines_fts_data").fetchall()
    return {
        word
        for (block,) in blocks
        for word in ("xylophone77", "root")
        if word.encode()[1:] in block
    }


def test_what_was_removed_cannot_be_read_in_any_file(store: StoreBuilder) -> None:
    for n in range(20):  # pieces of the index of many sizes
        lines = (SECRET, *LINES)
        store.record(event(at=OLD - timedelta(days=n), lines=lines))
        store.record(event("192.0.2.8", at=NOW - timedelta(days=n)))
    store.classify()
    assert "xylophone77" in words_in_index(store.path)
    log = store.path.with_name("bans.db-wal")

    with open_writer(store.path) as connection:
        assert purging(connection).run()
        assert log.read_bytes() == b""
        assert b"xylophone77" not in store.path.read_bytes()

    assert not log.exists()
    assert words_in_index(store.path) == {"root"}
    assert b"ylophone77" not in store.path.read_bytes()
    assert b"Invalid user admin" in store.path.read_bytes()
    is_sound(store)


def test_a_reader_holds_up_only_the_emptying_of_the_log(store: StoreBuilder) -> None:
    many(store, 2, lines=(SECRET,))
    with open_writer(store.path), open_reader(store.path) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM bans").fetchone()
        begun = time.monotonic()
        with open_writer(store.path) as connection:
            first = purging(connection)
            assert not first.run()
            # It does not wait 10 s, in which nobody could write.
            assert time.monotonic() - begun < 5
            assert connection.execute("PRAGMA busy_timeout").fetchone()[0] == 10_000
            reader.execute("COMMIT")
            assert purging(connection).run()
        assert first.removed.lines == 2
        for file in store.path.parent.iterdir():
            assert b"xylophone77" not in file.read_bytes(), file


def test_the_index_is_merged_only_where_something_went(store: StoreBuilder) -> None:
    store.record(event(at=NOW))
    store.record(event("192.0.2.8", at=NOW))
    pieces_of = "SELECT count(DISTINCT segid) FROM log_lines_fts_idx"
    before = asked(store, pieces_of)

    assert purge(store) == Removed()

    assert asked(store, pieces_of) == before == [(2,)]


def test_merging_tells_when_there_is_no_more(store: StoreBuilder) -> None:
    store.record(event(at=NOW))
    store.record(event("192.0.2.8", at=NOW))
    with store.writing() as connection:
        assert wiping.merge_index(connection, begin=True)
        assert not wiping.merge_index(connection, begin=False)


# --- beside others --------------------------------------------------------------------


def test_others_write_between_two_transactions(store: StoreBuilder) -> None:
    many(store, LINES_AT_ONCE)
    pauses = []
    with closing(sqlite3.connect(store.path, timeout=0)) as other:

        def pause(seconds: float) -> None:
            pauses.append(seconds)
            other.execute("BEGIN IMMEDIATE")
            other.execute("ROLLBACK")

        with open_writer(store.path) as connection:
            run = purging(connection, pause=pause)
            run.run()

    assert run.removed.lines == 2 * LINES_AT_ONCE
    assert len(pauses) > 5
    assert min(pauses[1:]) == SHORTEST_PAUSE


def test_few_lines_go_at_once_but_for_those_of_one_ban(store: StoreBuilder) -> None:
    short = tuple(f"line {n}" for n in range(MAX_LINES))
    long = ("x" * 8000,) * 7
    store.record(event("192.0.2.8", at=OLD, lines=short))
    store.record(event("192.0.2.9", at=OLD, lines=long))
    store.record(event("192.0.2.10", at=OLD, lines=long))
    many(store, LINES_AT_ONCE)
    counts: list[int] = []
    with open_writer(store.path) as connection:

        def pause(_: float) -> None:
            (count,) = connection.execute("SELECT count(*) FROM log_lines").fetchone()
            counts.append(count)

        run = purging(connection, pause=pause)
        run.run()

    gone = (before - after for before, after in itertools.pairwise(counts))
    taken = sorted(count for count in gone if count)
    assert sum(taken) == run.removed.lines == MAX_LINES + 14 + 2 * LINES_AT_ONCE
    assert taken[-1] == MAX_LINES
    assert taken[-2] <= LINES_AT_ONCE
    # 56,000 characters each: not both together, but the last with the next ban.
    assert taken[:2] == [7, 7 + len(LINES)]


def test_a_transaction_that_removes_bans_ends_when_its_time_is_up(
    store: StoreBuilder,
) -> None:
    store.record(
        *(event(at=ANCIENT - timedelta(minutes=n), lines=()) for n in range(8))
    )
    clock = Seconds(step=LONGEST_TRANSACTION / 2.5)
    totals: list[int] = []
    with open_writer(store.path) as connection:

        def pause(seconds: float) -> None:
            (count,) = connection.execute("SELECT count(*) FROM bans").fetchone()
            totals.append(count)
            clock.pause(seconds)

        run = purging(connection, A_YEAR, clock=clock, pause=pause)
        run.run()

    assert run.removed.bans == 8
    assert list(dict.fromkeys(totals)) == [8, 5, 2, 0]
    assert max(clock.pauses) == pytest.approx(4 * clock.step, abs=clock.step)


def test_more_bans_go_than_are_read_at_once(store: StoreBuilder) -> None:
    many(store, PAGE + 3, lines=())
    limits = Limits.of_days(lines=0, bans=30, now=NOW)

    assert purge(store, limits).bans == PAGE + 3


def command(store: StoreBuilder) -> tuple[str, ...]:
    """Purge lines a hundred days older than the tests' time, by the real clock."""
    days = (datetime.now(UTC) - NOW).days + 100
    limit = ("--yes", "--lines-days", str(days), "--db", str(store.path))
    return (sys.executable, "-m", "f2b_enrich", "purge", *limit)


def count(store: StoreBuilder, table: str) -> int:
    [(number,)] = asked(store, f"SELECT count(*) FROM {table}")  # noqa: S608
    assert isinstance(number, int)
    return number


def test_a_kill_leaves_a_sound_store_and_the_rest_to_the_next(
    store: StoreBuilder,
) -> None:
    many(store, 2000, lines=(SECRET, *LINES))
    before = count(store, "log_lines")
    with subprocess.Popen(command(store)) as process:
        until = time.monotonic() + DEADLINE
        while count(store, "log_lines") == before:
            assert time.monotonic() < until
            assert process.poll() is None
        process.kill()
    left = count(store, "log_lines")
    assert 0 < left < before
    assert asked(store, "SELECT is_finished FROM purged") == [(0,)]
    is_sound(store)

    assert purge(store).lines == left

    assert asked(store, "SELECT is_finished FROM purged") == [(1,)]
    assert b"xylophone77" not in store.path.read_bytes()


def test_what_a_killed_purge_left_in_the_index_goes_though_nothing_else_is_left(
    store: StoreBuilder,
) -> None:
    store.record(event(at=OLD, lines=(SECRET,)))
    store.record(event("192.0.2.8", at=NOW))
    store.classify()
    with store.writing() as connection:  # as it stands right before the index is merged
        retention.note(connection, HALF_A_YEAR, now=NOW)
        connection.execute("DELETE FROM log_lines WHERE ban_id = ?", (store.ids[0],))
        connection.execute("DELETE FROM observed WHERE ban_id = ?", (store.ids[0],))
    assert "xylophone77" in words_in_index(store.path)

    assert purge(store) == Removed()
    assert "xylophone77" not in words_in_index(store.path)


async def test_a_daemon_goes_on_taking_bans(short_folder: Path) -> None:
    async with living(short_folder) as daemon:
        daemon.configure()
        await daemon.start()
        old = [
            await daemon.ban(f"192.0.2.{n}", TIME=str(TIME - 200 * DAY - n))
            for n in range(60)
        ]
        await daemon.until(
            lambda: not daemon.rows("SELECT 1 FROM bans WHERE attack IS NULL")
        )
        store = StoreBuilder(daemon.load()[0].store.path)
        process = await asyncio.create_subprocess_exec(*command(store))
        ended = asyncio.create_task(process.wait())
        new: list[str] = []
        while not ended.done():
            new.append(await daemon.ban("198.51.100.7", TIME=str(TIME + len(new))))
        assert await ended == 0
        # One that comes late is taken as any other.
        late = await daemon.ban("198.51.100.8", TIME=str(TIME - 300 * DAY))

        found = {row["ban_id"] for row in daemon.rows("SELECT ban_id FROM log_lines")}
        assert new
        assert found == {*new, late}
        assert len(daemon.bans()) == len(old) + len(new) + 1
        await daemon.stop()
    is_sound(store)


async def test_an_alert_whose_lines_were_purged_is_mailed_all_the_same(
    short_folder: Path,
) -> None:
    async with living(short_folder) as daemon:
        daemon.configure()
        store = StoreBuilder(daemon.load()[0].store.path)
        (ban,) = store.record(event(at=OLD, lines=(SECRET,)))
        store.learn(located(at=OLD))
        store.classify()
        store.mail(ban, at=OLD)
        assert purge(store).lines == 1
        await daemon.start()
        (mail,) = await daemon.mails(1)
        assert "192.0.2.7" in str(mail["Subject"])
        assert "password guessing" in mail.as_string()
        assert "xylophone77" not in mail.as_string()
