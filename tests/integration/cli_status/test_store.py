"""What `status` tells of the store, whoever asks."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta

from f2b_enrich.cli import status_facts
from f2b_enrich.config_files import load
from f2b_enrich.store.connection import open_writer
from tests.cli import run
from tests.integration.cli_status.place import BERLIN, Place
from tests.integration.test_cli_daemon_facts import stopped
from tests.stores import NOW, StoreBuilder, event, filled


def test_a_store_without_a_ban_is_told(place: Place) -> None:
    with open_writer(place.db):
        pass

    told = place.told()

    assert told["last ban"] == "none yet"
    assert told["bans"] == "today 0 bans of 0 addresses; 30 days 0 bans of 0 addresses"
    assert told["store"].startswith("0 bans; ")
    assert told["mail"].endswith(
        "\ntoday 0 alerts; 0 bans for the digest; 0 due, 0 dead"
    )
    assert told["look-ups"].endswith("\ntoday 0 look-ups, 0 incomplete")


def test_several_hosts_are_counted(place: Place) -> None:
    filled(place.db).record(event(), host="mail1")

    assert place.told()["store"].startswith("6 bans of 2 hosts since 2026-10-02; ")


def test_a_ban_of_yesterday_is_not_one_of_today(place: Place) -> None:
    StoreBuilder(place.db).record(event(at=NOW - timedelta(hours=22)))

    assert place.told()["bans"] == (
        "today 0 bans of 0 addresses; 30 days 1 ban of 1 address"
    )


def assert_all_is_measured(place: Place) -> None:
    with open_writer(place.db) as connection:
        connection.execute("UPDATE bans SET failures = failures + 1")
        found = status_facts.gather(
            load(place.config), place.config, now=NOW, zone=BERLIN, environ={}
        )

        log = place.db.with_name("bans.db-wal").stat().st_size
        assert log > 0
        assert found.store.size_bytes == place.db.stat().st_size + log


def test_the_log_of_an_open_store_counts_as_its_size(place: Place) -> None:
    filled(place.db)
    assert_all_is_measured(place)


def test_what_a_link_leads_to_is_measured(place: Place) -> None:
    filled(place.db)
    link = place.folder / "linked.db"
    link.symlink_to(place.db)
    config = place.config.read_text()
    place.config.write_text(config.replace(str(place.db), str(link)))
    assert_all_is_measured(place)


def test_a_file_that_is_no_store_is_a_failure_after_all_the_rest(place: Place) -> None:
    place.db.write_text("no database at all, but long enough to be looked at" * 99)

    ran = run("status", "--config", place.config)

    assert (ran.code, ran.err) == (1, "")
    assert f"store     {place.db}: file is not a database\n" in ran.out
    assert "mail      root@web1 -> noc@admins.net via localhost:25\n" in ran.out


def test_a_store_that_cannot_be_reached_is_a_failure(place: Place) -> None:
    loop = place.folder / "loop"
    loop.symlink_to(loop)

    ran = run("status", "--config", place.config, "--db", loop / "bans.db")

    assert ran.code == 1
    assert f"store     {loop}/bans.db: Too many levels of symbolic links" in ran.out


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
