"""`purge`: what it says, what it asks, and whose the files are afterwards."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from f2b_enrich.model import EventKind, read_time, time_text
from f2b_enrich.store import campaigns, retention
from f2b_enrich.store.connection import open_reader, open_writer
from f2b_enrich.store.purging import LINES_AT_ONCE
from tests import uncovered
from tests.cli import Ran, run
from tests.integration.test_store_purging import a_walk
from tests.stores import StoreBuilder, event

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime.now(UTC).replace(microsecond=0)
DAY = timedelta(days=1)
DEADLINE = 60.0
COMMAND = (sys.executable, "-m", "f2b_enrich", "purge")
REMOVED = "removed 2 log lines and 1 value of 1 ban\n"
NOTHING = "nothing to remove\n"


@pytest.fixture
def store(tmp_path: Path) -> StoreBuilder:
    """Give a store with a ban of today, one of last year and one of 20 years ago."""
    store = StoreBuilder(tmp_path / "bans.db")
    store.record(event(at=NOW), event("192.0.2.8", at=NOW - 200 * DAY))
    store.record(event("192.0.2.9", at=NOW - 7300 * DAY, lines=()))
    store.classify()
    configure(store)
    return store


def configure(store: StoreBuilder, retention: str = "") -> None:
    config = store.path.with_name("config.toml")
    config.write_text(f"store.path = '{store.path}'\n[retention]\n{retention}")


def words(store: StoreBuilder, *more: str) -> tuple[str | Path, ...]:
    return ("--config", store.path.with_name("config.toml"), *more)


def purge(store: StoreBuilder, *more: str) -> Ran:
    return run("purge", *words(store, *more))


def with_lines(store: StoreBuilder) -> set[str]:
    with store.reading() as connection:
        rows = connection.execute(
            "SELECT DISTINCT ip FROM log_lines JOIN bans ON bans.id = ban_id"
        )
        return {row["ip"] for row in rows}


def bans(store: StoreBuilder) -> int:
    with store.reading() as connection:
        count: int = connection.execute("SELECT count(*) FROM bans").fetchone()[0]
    return count


def test_old_lines_go_as_configured(store: StoreBuilder) -> None:
    ran, again = purge(store), purge(store)

    assert (ran.code, ran.out, ran.err) == (0, REMOVED, "")
    assert (again.code, again.out, again.err) == (0, NOTHING, "")
    assert with_lines(store) == {"192.0.2.7"}
    assert bans(store) == 3


def test_bans_go_where_that_is_configured(store: StoreBuilder) -> None:
    configure(store, "lines_days = 365\nbans_days = 3650\n")

    ran = purge(store)

    assert (ran.code, ran.out) == (0, "removed 1 ban whole\n")
    assert with_lines(store) == {"192.0.2.7", "192.0.2.8"}
    assert bans(store) == 2


def test_everything_that_went_is_told_in_one_line(store: StoreBuilder) -> None:
    unban = event("192.0.2.77", at=NOW - 300 * DAY, kind=EventKind.UNBAN)
    store.record(unban)
    old = NOW - 250 * DAY
    with store.writing() as connection:
        campaigns.save(connection, a_walk(old, old, who="192.0.2.1"), now=NOW)
    configure(store, "bans_days = 3650\n")

    tried, ran = purge(store, "--dry-run"), purge(store)

    whole = (
        "2 log lines and 1 value of 1 ban, names of 1 campaign, "
        "1 event without a ban, 1 ban whole\n"
    )
    assert (tried.code, tried.out) == (0, f"would remove {whole}")
    assert (ran.code, ran.out) == (0, f"removed {whole}")


def test_a_dry_run_changes_nothing(store: StoreBuilder) -> None:
    before = store.path.read_bytes()

    ran = purge(store, "--dry-run", "--bans-days", "1")

    assert ran.code == 0
    assert ran.out == ("would remove 2 log lines and 1 value of 1 ban, 2 bans whole\n")
    assert store.path.read_bytes() == before


def test_programs_get_the_numbers(store: StoreBuilder) -> None:
    tried = json.loads(purge(store, "--dry-run", "--json").out)
    done = json.loads(purge(store, "--json").out)

    removed = {"stripped": 1, "lines": 2, "values": 1}
    removed |= {"campaigns": 0, "events": 0, "bans": 0}
    assert done["removed"] == tried["removed"] == removed
    assert (tried["dry_run"], tried["log_emptied"]) == (True, None)
    assert (done["dry_run"], done["log_emptied"]) == (False, True)
    assert done["limits"]["bans"] is None
    before = datetime.now(UTC) - 180 * DAY
    assert abs(read_time(done["limits"]["lines"]) - before) < timedelta(minutes=5)


@pytest.mark.parametrize(
    ("option", "told"),
    [
        (("--lines-days", "30"), "--lines-days 30 keeps less than the configuration "),
        (("--bans-days", "3650"), "--bans-days 3650 keeps less than the configura"),
    ],
)
def test_to_keep_less_than_configured_takes_a_yes(
    store: StoreBuilder, option: tuple[str, str], told: str
) -> None:
    refused = purge(store, *option)
    assert (refused.code, refused.out) == (2, "")
    assert refused.err.startswith(f"f2b-enrich: {told}")
    assert refused.err.count("\n") == 1
    assert (len(with_lines(store)), bans(store)) == (2, 3)

    assert purge(store, *option, "--yes").code == 0
    assert with_lines(store) == {"192.0.2.7"}


@pytest.mark.parametrize("days", ["0", "180", "190"])
def test_to_keep_as_much_or_more_takes_none(store: StoreBuilder, days: str) -> None:
    ran = purge(store, "--lines-days", days)

    assert ran.code == 0
    assert ran.out == (NOTHING if days == "0" else REMOVED)


def test_what_is_kept_for_ever_cannot_be_kept_longer(store: StoreBuilder) -> None:
    configure(store, "lines_days = 0\n")

    assert purge(store).out == NOTHING
    assert purge(store, "--lines-days", "36500").code == 2
    assert purge(store, "--lines-days", "36501").code == 2


def test_bad_settings_are_named(store: StoreBuilder) -> None:
    configure(store, "lines_days = -1\nbans_days = '1'\ndays = 3\n")

    ran = purge(store)

    assert (ran.code, ran.out) == (1, "")
    for key in ("retention.lines_days", "retention.bans_days", "retention.days"):
        assert key in ran.err


@pytest.mark.parametrize(("answer", "code"), [("y", 0), ("n", 130)])
def test_a_terminal_is_asked(store: StoreBuilder, answer: str, code: int) -> None:
    keyboard, terminal = pty.openpty()
    os.write(keyboard, f"{answer}\n".encode())
    try:
        ran = subprocess.run(
            (*COMMAND, *words(store, "--lines-days", "30")),
            stdin=terminal,
            capture_output=True,
            text=True,
            check=False,
            timeout=DEADLINE,
        )
    finally:
        os.close(keyboard)
        os.close(terminal)

    assert ran.returncode == code
    assert "keeps less than the configuration wants (180). Go on? [y/N]" in ran.stderr
    assert ran.stdout == (REMOVED if answer == "y" else "")


@pytest.mark.parametrize("more", [(), ("--dry-run",)])
def test_no_store_is_made(tmp_path: Path, more: tuple[str, ...]) -> None:
    path = tmp_path / "none.db"

    ran = run("purge", *more, "--db", path)

    assert (ran.code, ran.out) == (1, "")
    assert ran.err == (
        f"f2b-enrich: store {path}: there is none yet, the daemon makes it\n"
    )
    assert not path.exists()


def test_who_reads_meanwhile_is_said_to_hold_up_the_rest(store: StoreBuilder) -> None:
    with open_writer(store.path), open_reader(store.path) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM bans").fetchone()
        ran = purge(store)
        reader.execute("COMMIT")

    assert (ran.code, ran.out) == (0, REMOVED)
    assert ran.err.startswith(f"f2b-enrich: {store.path}-wal may still hold what was ")


def test_ctrl_c_says_how_far_it_came(store: StoreBuilder) -> None:
    old = NOW - 300 * DAY
    store.record(*(event(at=old - n * timedelta(minutes=1)) for n in range(3000)))
    store.classify()
    before = len(lines(store))
    with subprocess.Popen(
        (*COMMAND, *words(store)),
        env=uncovered.environ(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        until = time.monotonic() + DEADLINE
        while len(lines(store)) == before:
            assert time.monotonic() < until
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=DEADLINE)

    gone = before - len(lines(store))
    assert (process.returncode, out) == (130, b"")
    told = re.fullmatch(
        r"f2b-enrich: interrupted: (nothing removed yet|removed ([0-9,]+) log lines "
        r"and [0-9,]+ values of [0-9,]+ bans); call it again to go on",
        err.decode().strip(),
    )
    assert told is not None, err
    # What was on disk just then, or is since the last that was counted.
    count = int((told[2] or "0").replace(",", ""))
    assert 0 <= gone - count <= LINES_AT_ONCE
    with store.reading() as connection:
        assert retention.last_purge(connection) is None


def lines(store: StoreBuilder) -> set[int]:
    with store.reading() as connection:
        return {row[0] for row in connection.execute("SELECT id FROM log_lines")}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_what_root_purges_stays_the_daemons(store: StoreBuilder) -> None:
    folder, nobody = store.path.parent, 65534
    for path in (folder, *folder.iterdir()):
        os.chown(path, nobody, nobody)
    with open_reader(store.path) as reader:
        reader.execute("SELECT count(*) FROM bans").fetchone()
        ran = purge(store)
        owners = {path.name: path.stat().st_uid for path in folder.iterdir()}

    assert ran.code == 0
    assert owners["bans.db"] == nobody
    assert set(owners.values()) == {nobody}


def test_status_tells_what_is_kept_and_when_it_was_purged(store: StoreBuilder) -> None:
    def told() -> str:
        out = run("status", *words(store)).out
        (line,) = (line for line in out.splitlines() if line.startswith("retention"))
        return line.removeprefix("retention ")

    assert told() == "lines 180 d, bans for ever; never purged yet"
    purge(store)
    with store.reading() as connection:
        at = retention.last_purge(connection)
    assert at is not None
    here = f"{at.astimezone():%Y-%m-%d %H:%M}"
    assert told() == f"lines 180 d, bans for ever; last purged {here}"

    configure(store, "lines_days = 0\nbans_days = 1095\n")
    assert told() == f"lines for ever, bans 1,095 d; last purged {here}"
    facts = json.loads(run("status", *words(store, "--json")).out)
    assert (facts["log_lines_kept_days"], facts["bans_kept_days"]) == (None, 1095)
    assert facts["store"]["records"]["last_purged_at"] == time_text(at)


def test_status_tells_what_is_kept_before_there_is_a_store(tmp_path: Path) -> None:
    assert (
        "\nretention lines 180 d, bans for ever\n"
        in run("status", "--db", tmp_path / "none.db").out
    )


def last_purged(store: StoreBuilder, at: datetime) -> None:
    with store.writing() as connection:
        retention.finish(connection, now=at)


def test_a_clock_that_leapt_is_not_believed_at_once(store: StoreBuilder) -> None:
    last_purged(store, NOW - 31 * DAY)

    doubted = purge(store)

    assert (doubted.code, doubted.out) == (1, "")
    assert "nothing purged: the clock says" in doubted.err
    assert "the last purge was 31 days before" in doubted.err
    assert purge(store).code == 1, "not within the same day either"
    assert purge(store, "--yes").out == REMOVED


def test_a_server_that_was_off_for_long_loses_one_night(store: StoreBuilder) -> None:
    last_purged(store, NOW - 400 * DAY)
    with store.writing() as connection:
        yesterday = NOW - timedelta(hours=23)
        assert retention.doubts_clock(connection, now=yesterday) is not None

    assert purge(store).out == REMOVED


def test_a_doubt_of_long_ago_counts_no_more(store: StoreBuilder) -> None:
    last_purged(store, NOW - 400 * DAY)
    with store.writing() as connection:
        assert retention.doubts_clock(connection, now=NOW - 200 * DAY) is not None

    assert purge(store).code == 1


def test_nights_without_a_purge_raise_no_doubt(store: StoreBuilder) -> None:
    last_purged(store, NOW - 29 * DAY)
    assert purge(store).out == REMOVED
