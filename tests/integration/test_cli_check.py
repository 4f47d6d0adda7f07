"""`check` where there is little to see: other users, other times, no server."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from demo.lab import PROJECT
from f2b_enrich.config import Settings
from f2b_enrich.enrich.relations import Relations
from f2b_enrich.health import (
    check,
    check_client,
    check_daemon,
    check_mail,
    check_store,
    figures,
)
from f2b_enrich.health.fail2ban import Fail2Ban
from f2b_enrich.health.handing import Handing
from f2b_enrich.health.links import Level
from f2b_enrich.store import removal, soundness
from f2b_enrich.store.connection import open_reader, open_writer
from tests.cli import run
from tests.smtp_server import HANG, SmtpServer
from tests.stores import NOW, StoreBuilder, event, located

if TYPE_CHECKING:
    from pathlib import Path

PAGE = 4096
PYTHON = ("/usr/bin/python3", "-I", "-S")


@pytest.fixture
def config(short_folder: Path) -> Path:
    """A configuration whose files are all in one folder, none of them there."""
    etc = short_folder / "fail2ban"
    etc.mkdir()
    file = short_folder / "config.toml"
    file.write_text(
        f'host = "web1"\nstore.path = "{short_folder}/bans.db"\n'
        f'daemon.socket = "{short_folder}/run/x.sock"\n'
        f'daemon.spool = "{short_folder}/spool"\n'
        f'geo.database = "{short_folder}/geo.mmdb"\nown.fail2ban = "{etc}"\n'
    )
    return file


def test_a_server_where_nothing_is_installed_gets_a_line_for_each_link(
    config: Path, short_folder: Path
) -> None:
    none = short_folder / "none.sock"
    words = ("check", "--offline", "--config", config, "--socket", none)

    ran = run(*words)
    told = json.loads(run(*words, "--json").out)

    assert (ran.code, ran.err) == (told["exit_code"], "") == (2, "")
    assert ran.out.splitlines()[-1].endswith(" critical | spool=0")
    levels = {(link["name"], link["level"]) for link in told["links"]}
    assert levels >= {
        *(("fail2ban", "CRIT"), ("jails", "CRIT"), ("daemon", "CRIT")),
        *(("spool", "CRIT"), ("store", "WARN"), ("geo", "WARN")),
    }


def test_another_user_is_told_what_he_may_not_see(
    config: Path, short_folder: Path, as_nobody: tuple[str, ...]
) -> None:
    with open_writer(short_folder / "bans.db"):
        pass
    (short_folder / "spool").mkdir(mode=0o700)
    (short_folder / "run").mkdir(mode=0o700)
    token = short_folder / "token"
    token.touch(mode=0o600)
    config.write_text(
        f'{config.read_text()}ipinfo.token_file = "{token}"\n'
        f'mail.smtp.password_file = "{token}"\n'
    )

    done = subprocess.run(
        [
            *(*as_nobody, sys.executable, "-m", "f2b_enrich", "check", "--json"),
            *("--offline", "--config", str(config), "--socket", "/root/none.sock"),
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
        env={"PATH": "/usr/bin", "PYTHONPATH": str(PROJECT)},
    )

    assert done.stderr == ""
    levels = {link["name"]: link["level"] for link in json.loads(done.stdout)["links"]}
    for name in ("daemon", "spool", "store", "mail", "ipinfo"):
        assert levels[name] == "?", done.stdout
    assert "failed oddly" not in done.stdout


def test_a_full_disk_and_a_wrong_clock_are_told(tmp_path: Path) -> None:
    store = tmp_path / "bans.db"
    with open_writer(store):
        pass
    settings = Settings.model_validate({"store": {"path": str(store)}})
    world = check.World(
        fail2ban=Fail2Ban(("/none/fail2ban-client",)),
        environ={"F2B_ENRICH_IPINFO_TOKEN": "x"},
        now=NOW,
        midnight=NOW,
        relations=Relations,
        synchronised=lambda: False,
        up_seconds=10**9,
        offline=True,
        free_bytes=lambda _: 1000,
    )

    report = check.check(settings, world)

    told = {(link.name, link.level): link for link in report.links}
    assert "1 kB free" in told["store", Level.CRIT].text
    assert "timedatectl" in told["clock", Level.WARN].cure
    assert "install" in told["fail2ban", Level.CRIT].cure


def test_a_large_store_is_left_unchecked_when_time_is_up(tmp_path: Path) -> None:
    file = tmp_path / "bans.db"
    with open_writer(file) as store:
        store.execute("CREATE TABLE other AS SELECT 'x' AS x")
        store.executescript("INSERT INTO other SELECT x FROM other;" * 15)

    facts = check_store.look(file, seconds=-1, free_bytes=lambda _: 10**9)

    assert facts.unchecked
    assert facts.problem is None


def test_a_damage_inside_is_found_without_an_error(tmp_path: Path) -> None:
    file = tmp_path / "bans.db"
    with open_writer(file) as store:
        store.execute("CREATE TABLE other (x TEXT)")
        store.executemany("INSERT INTO other VALUES (?)", [("x" * 900,)] * 400)
    size = file.stat().st_size
    with file.open("r+b") as pages:
        pages.seek(size - PAGE + 8)
        pages.write(b"\xff" * 8)  # where the rows of the last page are

    with open_reader(file) as connection:
        fault = soundness.first_fault(connection, seconds=10)

    assert fault is not None
    assert "\n" not in fault


def test_a_store_that_another_writer_holds_is_told(tmp_path: Path) -> None:
    file = tmp_path / "bans.db"
    with open_writer(file) as store:
        store.execute("BEGIN IMMEDIATE")

        said = soundness.refusal(file, busy_seconds=0.05)

        store.execute("ROLLBACK")
    assert said == "database is locked"
    assert soundness.refusal(file, busy_seconds=0.05) is None


def test_a_client_that_hangs_is_ended(tmp_path: Path) -> None:
    client = tmp_path / "client.py"
    client.write_text("import time\ntime.sleep(60)\n")
    handing = Handing(python=PYTHON, client=client, socket=tmp_path, spool=tmp_path)

    (link,) = check_client.links({"sshd": handing}, seconds=0.5, version="1")

    assert link.level is Level.CRIT
    assert "it takes longer than 0.5 s" in link.text


def test_a_slow_client_is_told_before_it_is_a_trouble(tmp_path: Path) -> None:
    package = os.path.dirname(check_client.__file__)  # noqa: PTH120
    for name in check_client.PROGRAMS:
        shutil.copy(f"{package}/../{name}", tmp_path)
    slow = tmp_path / "python"
    slow.write_text('#!/bin/sh\nsleep 0.4\nexec /usr/bin/python3 "$@"\n')
    slow.chmod(0o755)
    handing = Handing(
        python=(str(slow),),
        client=tmp_path / "client.py",
        socket=tmp_path,
        spool=tmp_path,
    )

    (link,) = check_client.links({"sshd": handing}, seconds=5, version="1")

    assert link.level is Level.WARN
    assert "every ban waits for it" in link.text


def test_a_client_that_fails_without_a_word_is_told(tmp_path: Path) -> None:
    client = tmp_path / "client.py"
    client.write_text("raise SystemExit(3)\n")
    handing = Handing(python=PYTHON, client=client, socket=tmp_path, spool=tmp_path)

    (link,) = check_client.links({}, seconds=5, version="1")
    trial = check_client.attempt(handing, seconds=5)

    assert link.name == "client"
    assert trial.said == "exit status 3, no message"


def test_a_mail_server_that_never_answers_costs_seconds_only() -> None:
    with SmtpServer(replies={"MAIL": HANG}) as server:
        settings = Settings.model_validate(
            {
                "host": "web1.example.org",
                "mail": {
                    "recipient": "root",
                    "allow_domains": ["example.org"],
                    "smtp": {"host": "127.0.0.1", "port": server.port},
                },
            }
        )
        (link,) = check_mail.links(settings, None, seconds=0.5, offline=False)

    assert link.level is Level.WARN
    assert server.received == []


def test_a_sendmail_is_only_looked_at(tmp_path: Path) -> None:
    program = tmp_path / "sendmail"
    program.write_text("#!/bin/sh\nexit 1\n")
    program.chmod(0o755)
    mail = {"transport": "sendmail", "sendmail": str(program)}
    settings = Settings.model_validate({"host": "web1", "mail": mail})

    (link,) = check_mail.links(settings, None, seconds=1, offline=False)

    assert link.level is Level.OK
    assert "not tried" in link.text


def test_figures_of_a_store_that_cannot_be_read_are_left_out(tmp_path: Path) -> None:
    file = tmp_path / "bans.db"
    file.write_bytes(b"odd" * 1000)

    found = figures.read(file, midnight=NOW, now=NOW, spool=2)

    assert found.known() == {"spool": 2}


def test_secrets_that_everyone_may_read_are_a_fault(
    config: Path, short_folder: Path
) -> None:
    secret = short_folder / "secret"
    secret.write_text("x")
    secret.chmod(0o644)
    config.write_text(
        f'{config.read_text()}ipinfo.token_file = "{secret}"\n'
        f'mail.smtp.password_file = "{secret}"\n'
    )

    told = json.loads(run("check", "--offline", "--json", "--config", config).out)

    found = {link["name"]: link for link in told["links"]}
    for name in ("mail", "ipinfo"):
        assert found[name]["level"] == "CRIT"
        assert "everyone may read it" in found[name]["text"]
    assert "when IPinfo does not answer alerts lack" in found["geo"]["text"]


def test_a_store_of_no_use_hides_nothing_else(config: Path, short_folder: Path) -> None:
    (short_folder / "bans.db").write_bytes(b"odd" * 4096)
    (short_folder / "spool").touch()

    told = json.loads(run("check", "--offline", "--json", "--config", config).out)

    found = {link["name"]: link for link in told["links"]}
    assert found["banned"]["text"] == "not known: the store cannot be read"
    assert "is no folder" in found["spool"]["text"]


def test_a_daemon_that_refuses_this_user_is_told_apart(short_folder: Path) -> None:
    path = short_folder / "x.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        refusal = threading.Thread(target=_refuse, args=(listener,))
        refusal.start()
        facts = check_daemon.look(path, seconds=5)
        refusal.join()

    assert facts.answer is check_daemon.Answer.NOT_THIS_USER
    assert facts.said == "error user 7 may not report bans (daemon.users)"
    assert check_daemon.look(path, seconds=5).answer is check_daemon.Answer.REFUSED


def _refuse(listener: socket.socket) -> None:
    peer, _ = listener.accept()
    with peer:
        peer.sendall(b"error user 7 may not report bans (daemon.users)\n")


def test_bans_and_all_that_hangs_on_them_are_removed(tmp_path: Path) -> None:
    builder = StoreBuilder(tmp_path / "bans.db")
    builder.record(event("192.0.2.1", jail="a"), event("192.0.2.1", jail="b"))
    builder.classify()
    builder.learn(located("192.0.2.1"))
    with builder.writing() as store:
        builder_jails = store.execute("SELECT count(*) FROM jails").fetchone()[0]

        assert removal.remove_bans(store, "a", "192.0.2.1") == 1
        assert removal.remove_bans(store, "a", "192.0.2.1") == 0
        removal.forget_jail(store, "a")

        left = [row["jail"] for row in store.execute("SELECT jail FROM bans")]
        lines = store.execute("SELECT count(DISTINCT ban_id) FROM log_lines").fetchone()
        looked_up = store.execute("SELECT count(*) FROM enrichments").fetchone()
        assert store.execute("PRAGMA foreign_key_check").fetchall() == []
        assert (
            store.execute("SELECT count(*) FROM jails").fetchone()[0] <= builder_jails
        )
    assert (left, lines[0], looked_up[0]) == (["b"], 1, 1)
