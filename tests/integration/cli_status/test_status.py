"""`status`, against real sockets, folders, databases and stores."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

from f2b_enrich import __version__
from f2b_enrich.cli import daemon_facts, status_facts
from f2b_enrich.cli.status import rows
from f2b_enrich.config_files import load
from tests.cli import run
from tests.integration.cli_status.place import BERLIN, Place, answering
from tests.integration.test_cli_daemon_facts import holding
from tests.mmdb import write_lite
from tests.stores import NOW, filled

TOKEN = "do-not-show-this"


def test_everything_is_told_of_a_daemon_at_work(place: Place) -> None:
    filled(place.db).classify()
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
        "services": "bans of 30 days: ssh 4",
        "spool": "0 files waiting, 0 unreadable; 0 lost since start",
        "look-ups": "IPinfo Lite database of 2026-11-01\n"
        "IPinfo: token set, from the environment\n"
        "today 1 look-up, 0 incomplete; "
        "0% of 1 ban answered from the store",
        "mail": "root@web1 -> noc@admins.net via localhost:25\n"
        "today 1 alert; 0 bans for the digest; 1 due, 1 dead; "
        "oldest due queued 1 min in the future; last taken 21:10:03\n"
        "newest dead: 3 to noc@admins.net, 2026-11-20 15:14:03 CET: "
        "550 5.1.1 no such user; f2b-enrich outbox retry 3",
        "brake": "open (1 of 100 today); daily digest next Sun 07:00, none taken yet",
        "retention": "lines 180 d, bans for ever; never purged yet",
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


def test_what_may_not_be_read_is_not_told_as_none_lost(place: Place) -> None:
    (place.socket.parent / "lost").mkdir()
    assert "lost" not in place.told()["spool"]


def test_the_time_a_daemon_is_up_is_told(place: Place) -> None:
    filled(place.db)
    with holding(place.db):
        heading = place.told()["f2b-enrich"]

    assert heading.startswith(f" {__version__} on web1, up ")
    assert heading.endswith(f" s; config {place.config}")


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
