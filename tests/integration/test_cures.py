"""What `check` finds under a real systemd, and what its cures do there."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from demo.lab import PROJECT
from tests.confined import (
    SERVICE,
    SOCKET,
    SPOOL,
    STORE,
    ban,
    configure,
    drop_in,
    eventually,
    inside,
    knows,
)
from tests.systemd_machine import Machine, booted

if TYPE_CHECKING:
    from collections.abc import Iterator

_SILENT = """
import socket, time
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
    server.bind(("127.0.0.1", 53))
    print("up", flush=True)
    time.sleep(600)
"""


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    with booted(tmp_path_factory.mktemp("machine")) as machine:
        machine.write("/etc/resolv.conf", "nameserver 127.0.0.1\n")
        # Waits of seconds between two tries are not what is tested here.
        override = "[Service]\nRestartSec=100ms\n"
        machine.write(f"/etc/systemd/system/{SERVICE}.d/quick.conf", override)
        machine.run("systemctl", "daemon-reload")
        configure(machine)
        yield machine


@pytest.fixture
def daemon(machine: Machine) -> Machine:
    """Give a machine whose daemon runs."""
    machine.run("systemctl", "reset-failed")
    machine.run("systemctl", "start", "f2b-enrich.socket", SERVICE)
    (well,) = told(machine, "daemon")
    assert well["level"] == "ok", well
    return machine


def told(machine: Machine, name: str) -> list[dict[str, Any]]:
    """Run `check`; give what it says of a link."""
    said = machine.run("f2b-enrich", "check", "--offline", "--json", check=False)
    return [link for link in json.loads(said)["links"] if link["name"] == name]


def cured(machine: Machine, name: str) -> str:
    """Paste the cure of the one link that is broken; give what `check` says then."""
    (link,) = [link for link in told(machine, name) if link["level"] == "CRIT"]
    machine.run("sh", "-c", link["cure"], check=False)
    return " ".join(
        f"{after['level']} {after['text']}" for after in told(machine, name)
    )


def given_up(machine: Machine) -> None:
    """Have the daemon fail until systemd starts it no more."""
    machine.write("/etc/f2b-enrich/config.d/bad.toml", "[mail]\nrecipients = 'x'\n")
    machine.run("chmod", "755", "/etc/f2b-enrich/config.d")
    machine.run("systemctl", "restart", SERVICE, check=False)
    limit = "Start request repeated too quickly"
    log = ("journalctl", "--no-pager", "-u", SERVICE)
    assert eventually(lambda: limit in machine.run(*log))
    machine.run("rm", "-r", "/etc/f2b-enrich/config.d")


def test_a_socket_that_is_gone_is_made_anew(daemon: Machine) -> None:
    daemon.run("rm", SOCKET)
    assert cured(daemon, "daemon").startswith("ok ")
    ban(daemon, "192.0.2.20")
    assert knows(daemon, "192.0.2.20")


def test_a_look_starts_nothing(daemon: Machine) -> None:
    daemon.run("systemctl", "stop", SERVICE)
    (asleep,) = told(daemon, "daemon")
    assert (asleep["level"], asleep["text"]) == (
        "WARN",
        "it does not run (systemd says inactive); the next ban starts it",
    )
    assert daemon.show(SERVICE, "ActiveState") == "inactive"


def test_a_daemon_that_was_given_up_starts_again(daemon: Machine) -> None:
    with drop_in(daemon, "[Unit]\nStartLimitBurst=2\n"):
        given_up(daemon)
        assert cured(daemon, "daemon").startswith("ok ")
    ban(daemon, "192.0.2.21")
    assert eventually(partial(knows, daemon, "192.0.2.21"))


def test_a_restored_backup_stays_as_it_was(daemon: Machine) -> None:
    ban(daemon, "192.0.2.22")
    daemon.run("systemctl", "stop", "f2b-enrich.socket", SERVICE)
    daemon.run("cp", STORE, "/root/backup.db")
    daemon.run("systemctl", "start", "f2b-enrich.socket", SERVICE)
    ban(daemon, "192.0.2.23")
    # A log of hours is not yet in the file.
    daemon.run("systemctl", "kill", "-s", "KILL", SERVICE)
    daemon.run("systemctl", "stop", SERVICE)
    daemon.run("dd", "if=/dev/zero", f"of={STORE}", "bs=1k", "count=8", "conv=notrunc")
    (link,) = [link for link in told(daemon, "store") if link["level"] == "CRIT"]
    stop, move, restore, *start = link["cure"].split("; ")
    away, _, beside = move.removeprefix("move ").partition(" away, with ")
    assert beside.split(" and ") == ["bans.db-wal", "bans.db-shm"]

    daemon.run("sh", "-c", stop)
    ban(daemon, "192.0.2.24")
    assert daemon.show(SERVICE, "ActiveState") in {"inactive", "failed"}
    for file in (away, f"{away}-wal", f"{away}-shm"):
        daemon.run("mv", file, f"{file}.damaged", check=False)
    daemon.run("cp", "/root/backup.db", STORE)
    daemon.run("sh", "-c", restore.partition(", ")[2])
    daemon.run("sh", "-c", "; ".join(start))

    assert eventually(partial(knows, daemon, "192.0.2.24")), daemon.journal(SERVICE)
    assert knows(daemon, "192.0.2.22")
    assert not knows(daemon, "192.0.2.23")
    (well,) = told(daemon, "store")
    assert well["level"] == "ok", well
    assert daemon.run("ls", SPOOL) == ""


def test_a_store_moves_as_the_page_says(daemon: Machine) -> None:
    page = (PROJECT / "docs" / "how-to" / "troubleshooting.md").read_text("utf-8")
    section = page.partition("### A store elsewhere")[2]
    ((text),) = re.findall(
        rf"```ini\n# \S+/{SERVICE}\.d/\S+\n(.*?)```", section, re.DOTALL
    )
    script, *_ = re.findall(r"```sh\n(.*?)```", section, re.DOTALL)
    ban(daemon, "192.0.2.25")
    with drop_in(daemon, text):
        daemon.run("sh", "-ec", script)
        setting = '[store]\npath = "/srv/f2b-enrich/bans.db"\n'
        daemon.write("/etc/f2b-enrich/config.d/store.toml", setting)
        daemon.run("chmod", "755", "/etc/f2b-enrich/config.d")
        daemon.run("systemctl", "start", "f2b-enrich.socket", SERVICE)
        said = daemon.run("f2b-enrich", "show", "192.0.2.25")
        assert [link["level"] for link in told(daemon, "daemon")] == ["ok"]
        daemon.run("rm", "-r", "/etc/f2b-enrich/config.d")
    daemon.run("systemctl", "restart", SERVICE)
    assert said.startswith("192.0.2.25 ")


@pytest.mark.parametrize(
    ("harm", "name", "says"),
    [
        (("chown", "root:root", SPOOL), "spool", "cannot be emptied by user"),
        (("chmod", "g-s", SPOOL), "spool", "of a group that user"),
        (("chown", "root:root", STORE), "store", "f2b-enrich may not write to bans.db"),
        (
            ("chown", "-R", "root:root", "/var/lib/f2b-enrich"),
            "store",
            "f2b-enrich may not write to f2b-enrich and ",
        ),
        (
            ("sh", "-c", f"rm -r {SPOOL}; touch {SPOOL}"),
            "spool",
            "is no folder",
        ),
    ],
)
def test_what_root_may_and_the_daemon_may_not_is_found(
    daemon: Machine, harm: tuple[str, ...], name: str, says: str
) -> None:
    daemon.run(*harm)
    (link,) = told(daemon, name)
    assert (link["level"], says in link["text"]) == ("CRIT", True), link
    assert cured(daemon, name).startswith("ok ")


def test_a_daemon_that_does_not_run_is_known_by_its_name(daemon: Machine) -> None:
    daemon.run("systemctl", "stop", "f2b-enrich.socket", SERVICE)
    daemon.run("chown", "root:root", STORE)
    (link,) = told(daemon, "store")
    assert link["cure"] == f"chown f2b-enrich: {STORE}"
    daemon.run("sh", "-c", link["cure"])


def test_a_sendmail_that_gets_no_rights_is_told(daemon: Machine) -> None:
    daemon.write("/usr/sbin/sendmail", "#!/bin/sh\n", mode="755")
    setting = '[mail]\ntransport = "sendmail"\n'
    daemon.write("/etc/f2b-enrich/config.d/mail.toml", setting)
    (link,) = told(daemon, "mail")
    assert (link["level"], "NoNewPrivs" in link["text"]) == ("WARN", True)
    with drop_in(daemon, "[Service]\nNoNewPrivileges=no\n"):
        daemon.run("systemctl", "stop", SERVICE)
        (link,) = told(daemon, "mail")
        assert link["level"] == "ok"
    daemon.run("rm", "-r", "/etc/f2b-enrich/config.d")


def test_a_token_that_everyone_may_read_still_reaches_the_daemon(
    daemon: Machine,
) -> None:
    daemon.write("/etc/f2b-enrich/ipinfo-token", "tok-free\n", mode="644")
    (link,) = told(daemon, "ipinfo")
    assert (link["level"], link["cure"]) == (
        "WARN",
        "chmod 600 /etc/f2b-enrich/ipinfo-token",
    )
    daemon.run("sh", "-c", link["cure"])
    (link,) = told(daemon, "ipinfo")
    assert link["level"] == "ok"
    daemon.run("rm", "/etc/f2b-enrich/ipinfo-token")


def test_a_configuration_with_a_mistake_is_critical(daemon: Machine) -> None:
    daemon.write("/etc/f2b-enrich/config.d/bad.toml", "[mail]\nrecipients = 'x'\n")
    said = daemon.run("sh", "-c", "f2b-enrich check; echo $?", check=False)
    daemon.run("rm", "-r", "/etc/f2b-enrich/config.d")
    assert said.startswith("CRIT  config  ")
    assert said.splitlines()[-1] == "2"


def test_a_name_server_that_does_not_answer_holds_nothing_up(daemon: Machine) -> None:
    daemon.write("/etc/resolv.conf", "nameserver 127.0.0.1\noptions timeout:30\n")
    setting = '[mail.smtp]\nhost = "mail.hosting.example"\n'
    daemon.write("/etc/f2b-enrich/config.d/mail.toml", setting)
    with subprocess.Popen(
        inside(daemon, sys.executable, "-c", _SILENT), stdout=subprocess.PIPE
    ) as silent:
        assert silent.stdout is not None
        assert silent.stdout.readline() == b"up\n"
        started = time.monotonic()
        said = daemon.run("f2b-enrich", "check", "--json", check=False)
        took = time.monotonic() - started
        silent.kill()
    daemon.run("rm", "-r", "/etc/f2b-enrich/config.d")
    (link,) = [link for link in json.loads(said)["links"] if link["name"] == "mail"]
    assert (link["level"], "did not finish within" in link["text"]) == ("WARN", True)
    assert took < 25
