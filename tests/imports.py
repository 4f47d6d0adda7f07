"""Imports run as the command runs them, and what is in a store afterwards."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from f2b_enrich.importing.records import Record
from f2b_enrich.intake.stopping import Stop
from f2b_enrich.intake.target import Target
from f2b_enrich.intake.writing import Writer
from f2b_enrich.store.jails import KnownJail
from tests import uncovered
from tests.cli import run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from f2b_enrich.importing.log_batches import Batch, _Said
    from tests.cli import Ran

HOST = "web1.example"
_CONTENT = {
    "bans": "id, host, jail, ip, banned_at, banned_at_source, bantime_seconds, "
    "expires_at, unbanned_at, failures, ban_count, origin, reference",
    "ban_ids": "id, ban_id",
    "log_lines": "ban_id, position, line",
    "other_origins": "ban_id, origin, reference",
    "found_counts": "host, jail, ip, day, lines",
}


def data(name: str) -> Path:
    """Give a folder of real data, or skip."""
    found = Path(os.environ.get("F2B_ENRICH_EXTRA_DATA", ""), name)
    if not found.is_dir():
        pytest.skip(f"NOT tested: F2B_ENRICH_EXTRA_DATA has no folder {name}")
    return found


def an_unknown_jail(name: str) -> KnownJail:
    """Tell of a jail that nobody named."""
    return KnownJail(jail=name, service="other", attack="other", origin="unknown")


@contextmanager
def a_writer(
    store: sqlite3.Connection,
    *,
    now: datetime,
    is_daemon_there: Callable[[], bool],
    clock: Callable[[], float] = lambda: 0.0,
    pause: Callable[[float], None] = lambda _: None,
    known_jail: Callable[[str], KnownJail] = an_unknown_jail,
) -> Iterator[tuple[Writer, Stop]]:
    """Give what writes an import, and what stops it."""
    stop = Stop()
    try:
        target = Target(
            connection=store,
            look_up="local",
            now=now,
            is_daemon_there=is_daemon_there,
            stop=stop,
        )
        yield Writer(target, clock=clock, pause=pause, known_jail=known_jail), stop
    finally:
        stop.close()


class Imports:
    """A folder with a configuration and a store."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)
        self.store = folder / "bans.db"
        self.config = folder / "config.toml"
        self.configure(f'host = "{HOST}"')

    def configure(self, text: str) -> None:
        self.config.write_text(text, "utf-8")

    def words(self, kind: str, *words: str | Path) -> list[str]:
        """Give the words of a command."""
        more = ("--config", self.config, "--db", self.store)
        return [str(word) for word in ("import", kind, *more, *words)]

    def ran(self, kind: str, *words: str | Path) -> Ran:
        """Run it, in this process."""
        return run(*self.words(kind, *words))

    def ran_by(
        self, who: Sequence[str], folder: Path, kind: str, *words: str | Path
    ) -> subprocess.CompletedProcess[str]:
        """Run it as another user, with its store in a folder that is open to all."""
        folder.chmod(0o777)
        self.store, self.config = folder / "bans.db", folder / "config.toml"
        self.configure("")
        return subprocess.run(
            (*who, sys.executable, "-m", "f2b_enrich", *self.words(kind, *words)),
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            env=uncovered.environ(),
        )

    def facts(self, kind: str, *words: str | Path) -> dict[str, Any]:
        """Run it without an error; give the tally."""
        done = self.ran(kind, "--json", *words)
        assert done.code == 0, done.err
        assert done.err == ""
        found: dict[str, Any] = json.loads(done.out)
        return found

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Ask the store."""
        with closing(sqlite3.connect(self.store)) as db:
            return db.execute(query, values).fetchall()

    def content(self) -> dict[str, list[tuple[Any, ...]]]:
        """Give all that an import writes, but for when it did."""
        return {
            table: sorted(self.rows(f"SELECT {columns} FROM {table}"), key=repr)  # noqa: S608 - the test's
            for table, columns in _CONTENT.items()
        }


@pytest.fixture
def imports(tmp_path: Path) -> Imports:
    return Imports(tmp_path)


def records_of(batch: Batch | _Said) -> list[Record]:
    """Give all that a block of a log tells, the short forms as the long one."""
    events = (
        Record(
            kind=kind,
            ip=ip,
            jail=jail,
            at=datetime.fromtimestamp(at, UTC),
            time_source="ban",
            origin="log",
        )
        for at, kind, jail, ip in batch.events
    )
    return [*events, *batch.records]
