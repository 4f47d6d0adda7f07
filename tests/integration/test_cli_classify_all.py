"""`classify --all`: old bans by the rules of today, beside whoever else writes."""

from __future__ import annotations

import json
import os
import pty
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing, contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from f2b_enrich.classify.jails import Jail, shipped_jails
from f2b_enrich.classify.rules import load, shipped
from f2b_enrich.cli.classify_all import PAGE, Reclassing
from f2b_enrich.daemon.analysis import Analysis
from f2b_enrich.daemon.transactions import LONGEST_TRANSACTION
from f2b_enrich.errors import StoreError
from f2b_enrich.store import figures
from f2b_enrich.store.connection import open_writer
from f2b_enrich.store.turns import SHORTEST_PAUSE
from tests import uncovered
from tests.cli import Ran, run
from tests.clock import Seconds
from tests.stores import NOW, StoreBuilder, event, shipped_analysis

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from f2b_enrich.daemon.analysis import Shown
    from f2b_enrich.store.classes import Unread

DEADLINE = 60.0
MINUTE = timedelta(minutes=1)
NOTHING = "nothing to do: all bans are classed by the rules and jails of today\n"
COMMAND = (sys.executable, "-m", "f2b_enrich", "classify", "--all")

SSHD = (
    "Nov 21 20:13:22 web1 sshd[7]: Failed password for root from 192.0.2.7 port 9 ssh2",
)
PROBE = (
    '192.0.2.7 - - [21/Nov/2026:20:13:22 +0100] "GET /.env HTTP/1.1" 404 162 "-" "-"',
)
RULE = """\
[[rule]]
name = "root-is-mine"
attack = "known-exploit"
pattern = 'sshd.* for (?P<username>root) from'
example = 'sshd for root from'
shows = {username = "root"}
"""


def analysis(*own: Jail, rules: str = "") -> Analysis:
    return Analysis((*load(rules, origin="own"), *shipped()), own, shipped_jails())


@pytest.fixture
def store(tmp_path: Path) -> StoreBuilder:
    """Give a store with a ban by lines, one by another's, one by its jail alone."""
    store = StoreBuilder(tmp_path / "bans.db")
    (tmp_path / "config.toml").write_text(
        f"store.path = '{store.path}'\nclassify.rules = '{tmp_path / 'rules.d'}'\n"
    )
    store.record(
        event(lines=SSHD),
        event("192.0.2.8", lines=PROBE),
        event("192.0.2.9", jail="postfix-sasl", lines=()),
    )
    return store


def many(store: StoreBuilder, count: int, *, lines: tuple[str, ...] = SSHD) -> None:
    store.record(*(event(at=NOW - n * MINUTE, lines=lines) for n in range(1, count)))


def add_rules(store: StoreBuilder) -> None:
    folder = store.path.with_name("rules.d")
    folder.mkdir()
    (folder / "own.toml").write_text(RULE)


def classify(store: StoreBuilder, *words: str) -> Ran:
    config = store.path.with_name("config.toml")
    return run("classify", "--all", "--config", config, *words)


def asked(store: StoreBuilder, question: str) -> list[tuple[object, ...]]:
    with store.reading() as connection:
        return [tuple(row) for row in connection.execute(question)]


def attacks(store: StoreBuilder) -> dict[object, object]:
    found = asked(store, "SELECT ip, attack FROM bans ORDER BY ip")
    return {ip: attack for ip, attack in found}  # noqa: C416 - a row has more types


def waiting(store: StoreBuilder) -> int:
    [(count,)] = asked(store, "SELECT count(*) FROM bans WHERE rule_set IS NULL")
    assert isinstance(count, int)
    return count


def reclassing(
    connection: sqlite3.Connection,
    chosen: Analysis | None = None,
    *,
    clock: Seconds | None = None,
    pause: Callable[[float], None] | None = None,
) -> Reclassing:
    clock = clock or Seconds()
    return Reclassing(
        connection,
        chosen or shipped_analysis(),
        now=lambda: NOW,
        clock=clock,
        pause=pause or clock.pause,
    )


def test_bans_that_never_were_are_classed(store: StoreBuilder) -> None:
    ran = classify(store)

    assert (ran.code, ran.out, ran.err) == (0, "classed 3 bans anew\n", "")
    assert attacks(store) == {
        "192.0.2.7": "ssh-password-guessing",
        "192.0.2.8": "credentials-probe",
        "192.0.2.9": "mail-password-guessing",
    }
    assert asked(store, "SELECT value FROM observed WHERE kind = 'username'") == [
        ("root",)
    ]


def test_what_is_classed_by_the_rules_of_today_is_left_alone(
    store: StoreBuilder,
) -> None:
    store.classify()

    again = classify(store)

    assert (again.code, again.out, again.err) == (0, NOTHING, "")


def test_other_rules_class_all_anew(store: StoreBuilder) -> None:
    store.classify()
    add_rules(store)

    ran, again = classify(store), classify(store)

    assert ran.out == "classed 3 bans anew, 1 with another leading class\n"
    assert again.out == NOTHING
    assert attacks(store)["192.0.2.7"] == "known-exploit"
    assert asked(store, "SELECT attack FROM ban_attacks ORDER BY attack") == [
        ("credentials-probe",),
        ("known-exploit",),
        ("mail-password-guessing",),
    ]


def test_what_was_found_stays_when_its_lines_are_gone(store: StoreBuilder) -> None:
    store.classify()
    add_rules(store)
    with store.writing() as connection:
        connection.execute("DELETE FROM log_lines")

    ran = classify(store)

    assert ran.out == ("classed 1 ban anew; 2 kept, their lines are no longer stored\n")
    assert attacks(store)["192.0.2.7"] == "ssh-password-guessing"
    assert classify(store).out == NOTHING


def test_programs_get_the_numbers(store: StoreBuilder) -> None:
    store.classify()
    add_rules(store)

    assert json.loads(classify(store, "--json").out) == {
        "classed": 3,
        "changed": 1,
        "kept": 0,
        "left": 0,
    }
    assert json.loads(classify(store, "--json").out)["classed"] == 0


def test_jails_named_since_are_told_and_their_bans_classed(store: StoreBuilder) -> None:
    store.record(
        event("192.0.2.7", at=NOW + MINUTE, jail="watch", lines=()),
    )
    store.classify()
    assert asked(store, "SELECT origin FROM jails WHERE jail = 'watch'") == [
        ("unknown",)
    ]
    with store.path.with_name("config.toml").open("a") as config:
        config.write("[jails.own.watch]\nattack = 'repeat-offender'\n")

    ran = classify(store)

    assert ran.out == "classed 4 bans anew, 1 with another leading class\n"
    assert asked(store, "SELECT attack, origin FROM jails WHERE jail = 'watch'") == [
        ("repeat-offender", "configured")
    ]
    assert asked(store, "SELECT repeat_of FROM bans WHERE jail = 'watch'") == [
        (store.ids[0],)
    ]


def test_who_is_interrupted_goes_on_where_he_was(store: StoreBuilder) -> None:
    many(store, 3 * PAGE)
    with open_writer(store.path) as connection:
        first = reclassing(connection)
        done = next(first.steps())
    left = waiting(store)

    with open_writer(store.path) as connection:
        second = reclassing(connection)
        assert second.left() == left
        assert sum(second.steps()) == left

    assert 0 < done < len(store.ids)
    assert first.done.classed + second.done.classed == len(store.ids)
    assert waiting(store) == 0


@contextmanager
def watched(store: StoreBuilder) -> Iterator[subprocess.Popen[bytes]]:
    """Start the command, and come back as soon as it has classed some bans."""
    before = waiting(store)
    with subprocess.Popen(
        (*COMMAND, "--config", store.path.with_name("config.toml")),
        env=uncovered.environ(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        until = time.monotonic() + DEADLINE
        while waiting(store) == before:
            assert time.monotonic() < until
            assert process.poll() is None
        yield process


def test_a_kill_loses_nothing(store: StoreBuilder) -> None:
    many(store, 2_000)
    with watched(store) as process:
        process.kill()
    left = waiting(store)

    ran = classify(store)

    assert 0 < left < 2_000
    assert ran.out == f"classed {left:,} bans anew\n"
    [(check,)] = asked(store, "PRAGMA integrity_check")
    assert check == "ok"


def test_ctrl_c_says_how_far_it_came(store: StoreBuilder) -> None:
    many(store, 2_000)
    with watched(store) as process:
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=DEADLINE)

    assert (process.returncode, out) == (130, b"")
    assert err.decode().strip() == (
        "f2b-enrich: interrupted: "
        f"classed {len(store.ids) - waiting(store):,} bans anew; call it again to go on"
    )


def test_others_write_between_two_transactions(store: StoreBuilder) -> None:
    many(store, 2 * PAGE)
    pauses = []
    with closing(sqlite3.connect(store.path, timeout=0)) as other:

        def pause(seconds: float) -> None:
            pauses.append(seconds)
            other.execute("BEGIN IMMEDIATE")
            other.execute("ROLLBACK")

        with open_writer(store.path) as connection:
            steps = list(reclassing(connection, pause=pause).steps())

    assert sum(steps) == len(store.ids)
    assert len(steps) > 2
    # The last one forgets the rules that no ban was classed by.
    assert len(pauses) == len(steps) + 1
    assert min(pauses) >= SHORTEST_PAUSE


def test_a_transaction_ends_when_its_time_is_up(store: StoreBuilder) -> None:
    many(store, 20)
    clock = Seconds(step=LONGEST_TRANSACTION / 2.5)
    with open_writer(store.path) as connection:
        run = reclassing(connection, clock=clock)
        steps = list(run.steps())

    assert steps == [3] * 7 + [1]
    assert run.done.classed == len(store.ids) == 22
    # It was held from one reading of the clock to the fourth behind it.
    assert clock.pauses[1] == pytest.approx(3 * clock.step)


def test_a_ban_that_arrives_meanwhile_is_classed_too(store: StoreBuilder) -> None:
    late = iter([event("192.0.2.77", lines=PROBE)])

    def pause(_: float) -> None:
        store.record(*late)

    with open_writer(store.path) as connection:
        run = reclassing(connection, pause=pause)
        assert sum(run.steps()) == 4

    assert attacks(store)["192.0.2.77"] == "credentials-probe"


def test_a_ban_whose_lines_arrive_meanwhile_is_left_to_the_next_run(
    store: StoreBuilder,
) -> None:
    class Slow(Analysis):
        """Another process writes while this one thinks."""

        def show_all(self, bans: Iterable[Unread]) -> tuple[Shown, ...]:
            late = event("192.0.2.9", jail="postfix-sasl", lines=PROBE)
            store.record(late)
            return super().show_all(bans)

    with open_writer(store.path) as connection:
        first = reclassing(connection, Slow(shipped(), (), shipped_jails()))
        assert sum(first.steps()) == 3

    assert first.done.classed == 2
    assert attacks(store)["192.0.2.9"] is None
    assert classify(store).out == "classed 1 ban anew\n"
    assert attacks(store)["192.0.2.9"] == "credentials-probe"


def test_two_runs_at_once_come_to_the_same(store: StoreBuilder) -> None:
    many(store, 3 * PAGE)
    with open_writer(store.path) as one, open_writer(store.path) as other:
        first, second = reclassing(one), reclassing(other)
        for steps in zip(first.steps(), second.steps(), strict=False):
            assert all(steps)

    assert waiting(store) == 0
    found = asked(store, "SELECT attack, count(*), sum(lines) FROM ban_attacks")
    assert sorted(asked(store, "SELECT DISTINCT rule_set FROM bans")) == [(1,)]
    assert found[0][1] == len(store.ids)


def test_bans_by_two_runs_with_different_rules_end_by_one_of_them(
    store: StoreBuilder,
) -> None:
    store.classify()
    with open_writer(store.path) as connection:
        mine = reclassing(connection, analysis(rules=RULE))
        assert sum(mine.steps()) == mine.done.classed == 3
        back = reclassing(connection)
        assert sum(back.steps()) == 3

    assert (mine.done.changed, back.done.changed) == (1, 1)
    assert attacks(store)["192.0.2.7"] == "ssh-password-guessing"


def test_a_store_that_another_holds_is_an_error(store: StoreBuilder) -> None:
    with open_writer(store.path) as holding:
        holding.execute("BEGIN IMMEDIATE")
        with (
            pytest.raises(StoreError, match=r"bans\.db: database is locked"),
            open_writer(store.path, busy_seconds=0.05) as connection,
        ):
            reclassing(connection)
        holding.execute("ROLLBACK")


def test_no_store_is_made(tmp_path: Path) -> None:
    path = tmp_path / "none.db"

    ran = run("classify", "--all", "--db", path)

    assert (ran.code, ran.out) == (1, "")
    assert ran.err == (
        f"f2b-enrich: store {path}: there is none yet, the daemon makes it\n"
    )
    assert not path.exists()


def test_a_terminal_shows_progress(store: StoreBuilder) -> None:
    many(store, PAGE)
    shown, terminal = pty.openpty()
    with os.fdopen(shown, "rb", buffering=0) as screen:
        ran = subprocess.run(
            (*COMMAND, "--config", store.path.with_name("config.toml")),
            env=os.environ | {"TERM": "xterm", "COLUMNS": "80"},
            stdout=subprocess.PIPE,
            stderr=terminal,
            check=True,
        )
        os.close(terminal)
        drawn = screen.read(1 << 16)

    assert ran.stdout == f"classed {len(store.ids)} bans anew\n".encode()
    assert f"{len(store.ids)}/{len(store.ids)}".encode() in drawn


def test_rules_of_which_no_ban_is_left_are_forgotten(store: StoreBuilder) -> None:
    store.classify()
    add_rules(store)
    with store.reading() as connection:
        assert figures.bans_of_older_rules(connection) == 0

    classify(store)

    with store.reading() as connection:
        (sets,) = connection.execute("SELECT count(*) FROM rule_sets").fetchone()
        assert (sets, figures.bans_of_older_rules(connection)) == (1, 0)
