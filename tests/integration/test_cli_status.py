"""`status`, against real sockets, folders, databases and stores."""

from __future__ import annotations

import json
import os
import socketserver
import subprocess
import sys
import threading
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from f2b_enrich import __version__
from f2b_enrich.cli import daemon_facts, status, status_facts
from f2b_enrich.cli.status import rows
from f2b_enrich.config_files import load
from f2b_enrich.model import OutboxState
from f2b_enrich.store import enrichments
from f2b_enrich.store.connection import open_writer
from tests.cli import run
from tests.integration.test_cli_daemon_facts import holding, stopped
from tests.mmdb import write_lite
from tests.stores import NOW, StoreBuilder, event, filled, located

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

BERLIN = ZoneInfo("Europe/Berlin")
TOKEN = "do-not-show-this"


class Place:
    """A configuration and what it names, all in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config = folder / "config.toml"
        self.db = folder / "bans.db"
        self.socket = folder / "run" / "daemon.sock"
        self.spool = folder / "spool"
        self.geo = folder / "lite.mmdb"
        self.socket.parent.mkdir()
        self.configure()

    def configure(self, more: str = "") -> None:
        self.config.write_text(
            f'host = "web1"\nstore.path = "{self.db}"\n'
            f'daemon.socket = "{self.socket}"\ndaemon.spool = "{self.spool}"\n'
            f'geo.database = "{self.geo}"\nmail.recipient = "noc@admins.net"\n{more}'
        )

    def told(self, environ: Mapping[str, str] | None = None) -> dict[str, str]:
        """Give the rows by their label; rows without one belong to that above."""
        found = status_facts.gather(
            load(self.config), self.config, now=NOW, zone=BERLIN, environ=environ or {}
        )
        by_label: dict[str, str] = {}
        label = ""
        for name, text in rows(found, now=NOW, zone=BERLIN):
            by_label[name or label] = text if name else f"{by_label[label]}\n{text}"
            label = name or label
        return by_label


@pytest.fixture
def place(short_folder: Path) -> Place:
    return Place(short_folder)


class _HangUp(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        self.request.recv(1)


@contextmanager
def answering(path: Path) -> Iterator[None]:
    """Serve as the daemon does: wait for the end of the request, then hang up."""
    with socketserver.ThreadingUnixStreamServer(str(path), _HangUp) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()


def test_everything_is_told_of_a_daemon_at_work(place: Place) -> None:
    filled(place.db)
    write_lite(place.geo, built_at=int(datetime(2026, 11, 1, tzinfo=UTC).timestamp()))
    with answering(place.socket):
        told = place.told({"F2B_ENRICH_IPINFO_TOKEN": TOKEN})

    size = (place.db.stat().st_size + 500) // 1000
    store = told.pop("store")
    assert store.startswith(f"5 bans since 2026-10-02; {size} kB, ")
    assert store.endswith(f" free; {place.db}")
    assert told == {
        "f2b-enrich": f" {__version__} on web1; config {place.config}",
        "daemon": f"answers on {place.socket}",
        "last ban": "2026-11-21 21:09:03 CET  sshd  192.0.2.7  (5 min ago)",
        "bans": "today 1 ban of 1 address; 30 days 4 bans of 3 addresses",
        "spool": "0 files waiting, 0 unreadable; 0 lost since start",
        "look-ups": "IPinfo Lite database of 2026-11-01\n"
        "IPinfo: token set, from the environment\n"
        "today 1 address asked about, 0 incomplete; "
        "0% of 1 ban answered from the store",
        "mail": "root@web1 -> noc@admins.net via localhost:25\n"
        "queued today: 1 sent, 1 due\n"
        "in all 1 due, 1 dead; oldest due queued in the future; "
        "last taken 2026-11-21 21:10:03 CET\n"
        "newest dead: 3 to noc@admins.net, 2026-11-20 15:14:03 CET: "
        "550 5.1.1 no such user",
        "retention": "bans and log lines are kept for ever in this version",
    }


def test_before_the_first_start_it_says_so_and_has_done_its_job(place: Place) -> None:
    ran = run("status", "--config", place.config)

    assert (ran.code, ran.err) == (0, "")
    lines = ran.out.splitlines()
    assert lines[1:3] == [
        f"daemon    no daemon answers on {place.socket} (No such file or directory)",
        f"store     {place.db}: there is none yet, the daemon makes it",
    ]
    assert lines[4] == (
        f"look-ups  no local database: {place.geo} is not there, "
        "`f2b-enrich geo update` gets one"
    )
    assert lines[5] == "          IPinfo: no token in file or environment"
    assert not place.db.exists()


def test_a_store_without_a_ban_is_told(place: Place) -> None:
    with open_writer(place.db):
        pass

    told = place.told()

    assert told["last ban"] == "none yet"
    assert told["bans"] == "today 0 bans of 0 addresses; 30 days 0 bans of 0 addresses"
    assert told["store"].startswith("0 bans; ")
    assert told["mail"].endswith("\nqueued today: none\nin all 0 due, 0 dead")
    assert told["look-ups"].endswith("\ntoday 0 addresses asked about, 0 incomplete")


def test_a_socket_that_is_not_for_this_user_leaves_it_open(place: Place) -> None:
    found = status_facts.gather(
        load(place.config), place.config, now=NOW, zone=BERLIN, environ={}
    )
    refused = daemon_facts.DaemonFacts(
        socket=place.socket, answers=None, detail="Permission denied"
    )

    told = dict(rows(replace(found, daemon=refused), now=NOW, zone=BERLIN))

    assert told["daemon"] == f"not known: {place.socket}: Permission denied"


def test_a_spool_that_cannot_be_read_is_not_known(place: Place) -> None:
    place.spool.touch()

    assert place.told()["spool"].endswith(
        f"; not known: {place.spool} (may not be read)"
    )


def test_a_store_that_cannot_be_reached_is_a_failure(place: Place) -> None:
    loop = place.folder / "loop"
    loop.symlink_to(loop)

    ran = run("status", "--config", place.config, "--db", loop / "bans.db")

    assert ran.code == 1
    assert f"store     {loop}/bans.db: Too many levels of symbolic links" in ran.out


def test_what_waits_in_either_spool_is_counted(place: Place) -> None:
    second = place.socket.parent / "spool"
    for folder in (place.spool, second):
        (folder / "bad").mkdir(parents=True)
    (place.spool / "1.ban").touch()
    (place.spool / "bad" / "2.ban").touch()
    (second / "3.ban").touch()
    (place.socket.parent / "lost").write_text("one\ntwo\n")

    assert place.told()["spool"] == (
        f"2 files waiting, 1 unreadable; 2 lost since start; in {place.spool} "
        f"and {second}"
    )


def test_a_damaged_database_and_an_unreadable_token_are_told(place: Place) -> None:
    place.geo.write_text("no database")
    place.configure(f'ipinfo.token_file = "{place.folder}/token"\n')

    assert place.told()["look-ups"] == (
        f"no local database: {place.geo}: not a database: Error opening database file "
        f"({place.geo}). Is this a valid MaxMind DB file?\n"
        f"IPinfo: token {place.folder}/token: No such file or directory"
    )


def test_no_database_and_keyless_look_ups_are_told(place: Place) -> None:
    text = place.config.read_text().replace(str(place.geo), "")
    place.config.write_text(f"{text}ipinfo.keyless = true\n")

    assert place.told()["look-ups"] == (
        "no local database: none is configured\nIPinfo: asked without a token"
    )


def test_refused_addresses_and_another_transport_are_told(place: Place) -> None:
    text = place.config.read_text().replace("noc@admins.net", "you@mail.com")
    place.config.write_text(
        f'{text}mail.transport = "sendmail"\nmail.sender = "a@example.org"\n'
    )

    lines = place.told()["mail"].splitlines()

    assert lines[0] == "nobody -> nobody via /usr/sbin/sendmail"
    assert lines[1].startswith("you@mail.com refused: a sample address")
    assert lines[2].startswith("a@example.org refused: a sample address")


def test_mails_in_other_states_are_counted(place: Place) -> None:
    store = StoreBuilder(place.db)
    [ban] = store.record(event())
    for state in (OutboxState.HELD, OutboxState.SENDING, OutboxState.SKIPPED):
        store.mail(ban, state=state)
    store.mail(ban, state=OutboxState.DEAD, error="\x1b[31m" + "x" * 300)

    lines = place.told()["mail"].splitlines()

    assert lines[1] == "queued today: 1 due, 1 dead, 1 held, 1 skipped"
    assert lines[2] == (
        "in all 1 due, 1 dead, 1 held, 1 skipped; oldest due queued 0 s ago"
    )
    assert "\x1b" not in lines[3]
    assert len(lines[3]) < 300


def test_what_is_looked_up_and_what_waits_is_told(place: Place) -> None:
    store = StoreBuilder(place.db)
    store.record(event(at=NOW - timedelta(hours=1)))
    store.learn(
        located(at=NOW - timedelta(minutes=59)),
        replace(located("198.51.100.1", at=NOW), complete=False),
    )
    store.record(event(at=NOW, jail="b"), event(at=NOW, jail="c"))
    with store.writing() as connection:
        enrichments.attach_fresh(
            connection,
            "192.0.2.7",
            complete_since=NOW - timedelta(days=1),
            incomplete_since=NOW,
        )
    store.record(event("192.0.2.8"), event("192.0.2.9", at=NOW - timedelta(hours=25)))

    assert place.told()["look-ups"].splitlines()[-1] == (
        "today 2 addresses asked about, 1 incomplete; 66% of 3 bans answered from the "
        "store; 1 ban of 24 h still without"
    )


def test_the_time_a_daemon_is_up_is_told(place: Place) -> None:
    filled(place.db)
    with holding(place.db):
        heading = place.told()["f2b-enrich"]

    assert heading.startswith(f" {__version__} on web1, up ")
    assert heading.endswith(f" s; config {place.config}")


def test_several_hosts_are_counted(place: Place) -> None:
    filled(place.db).record(event(), host="mail1")

    assert place.told()["store"].startswith("6 bans of 2 hosts since 2026-10-02; ")


def test_a_credential_that_cannot_be_reached_is_told(place: Place) -> None:
    loop = place.folder / "loop"
    loop.symlink_to(loop)

    told = place.told({"CREDENTIALS_DIRECTORY": str(loop)})

    assert told["look-ups"].endswith(
        f"IPinfo: token {loop}/ipinfo-token: Too many levels of symbolic links"
    )


def test_drop_ins_are_counted(place: Place) -> None:
    folder = place.folder / "config.d"
    folder.mkdir()
    for name in ("a.toml", "b.toml", ".hidden.toml", "c.toml.bak"):
        (folder / name).touch()

    assert place.told()["f2b-enrich"].endswith(f"{place.config} and 2 in config.d")


def test_json_has_everything_but_the_token(place: Place) -> None:
    filled(place.db)
    token = place.folder / "token"
    token.write_text(TOKEN)
    token.chmod(0o600)
    place.configure(f'ipinfo.token_file = "{token}"\n')

    ran = run("status", "--json", "--config", place.config)

    found = json.loads(ran.out)
    assert ran.code == 0
    assert TOKEN not in ran.out
    assert found["ipinfo_token"]["origin"] == str(token)
    assert found["store"]["records"]["bans"] == 5
    assert found["store"]["records"]["last"]["ip"] == "192.0.2.7"
    assert found["daemon"]["answers"] is False


def test_a_file_that_is_no_store_is_a_failure_after_all_the_rest(place: Place) -> None:
    place.db.write_text("no database at all, but long enough to be looked at" * 99)

    ran = run("status", "--config", place.config)

    assert (ran.code, ran.err) == (1, "")
    assert f"store     {place.db}: file is not a database\n" in ran.out
    assert "mail      root@web1 -> noc@admins.net via localhost:25\n" in ran.out


def test_the_log_of_an_open_store_counts_as_its_size(place: Place) -> None:
    store = filled(place.db)
    with store.writing() as connection:
        connection.execute("UPDATE bans SET failures = failures + 1")
        found = status_facts.gather(
            load(place.config), place.config, now=NOW, zone=BERLIN, environ={}
        )

        log = place.db.with_name("bans.db-wal").stat().st_size
        assert found.store.size_bytes == place.db.stat().st_size + log


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (999_600, "1 MB"),
        (212_000_000, "212 MB"),
        (61_400_000_000, "61.4 GB"),
        (2_500_000_000_000, "2.5 TB"),
    ],
)
def test_sizes_have_the_unit_that_fits(count: int, expected: str) -> None:
    assert status._size(count) == expected


def test_a_member_of_the_group_who_may_only_read_is_told(
    place: Place, as_nobody: tuple[str, ...]
) -> None:
    store = filled(place.db)
    group = 65_534
    token = place.folder / "token"
    for path, mode in ((token, 0o600), (place.spool, 0o700)):
        path.touch() if path is token else path.mkdir()
        path.chmod(mode)
    place.configure(f'ipinfo.token_file = "{token}"\n')
    program = (sys.executable, "-m", "f2b_enrich")
    command = (*as_nobody, *program, "status", "--config", str(place.config))

    def ask() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, capture_output=True, text=True, check=False, cwd="/", env={}
        )

    with stopped(place.socket), store.writing():
        os.chown(place.db, -1, group)
        place.db.chmod(0o640)
        for suffix in ("-wal", "-shm"):
            side = place.db.with_name(f"bans.db{suffix}")
            os.chown(side, -1, group)
            side.chmod(0o640)
        place.socket.chmod(0o660)
        meanwhile = ask()
    afterwards = ask()

    for ran in (meanwhile, afterwards):
        assert (ran.returncode, ran.stderr) == (0, "")
        assert "store     5 bans since " in ran.stdout
        assert f"; not known: {place.spool} (may not be read)\n" in ran.stdout
        assert f"IPinfo: token {token}: Permission denied\n" in ran.stdout
    unknown = f"daemon    not known: {place.socket}: Permission denied\n"
    assert unknown in meanwhile.stdout


def test_a_folder_that_may_not_be_entered_is_a_failure(
    place: Place, as_nobody: tuple[str, ...]
) -> None:
    closed = place.folder / "closed"
    closed.mkdir(mode=0o700)

    ran = subprocess.run(
        (
            *as_nobody,
            *(sys.executable, "-m", "f2b_enrich", "status", "--config", place.config),
            *("--db", closed / "bans.db"),
        ),
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
        env={},
    )

    assert (ran.returncode, ran.stderr) == (1, "")
    assert f"store     {closed}/bans.db: Permission denied\n" in ran.stdout


def test_a_ban_of_yesterday_is_not_one_of_today(place: Place) -> None:
    StoreBuilder(place.db).record(event(at=NOW - timedelta(hours=22)))

    assert place.told()["bans"] == (
        "today 0 bans of 0 addresses; 30 days 1 ban of 1 address"
    )
