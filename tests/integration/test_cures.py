"""What `check` finds under a real systemd, and what its cures do there."""

from __future__ import annotations

import json
import re
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
    knows,
)
from tests.systemd_machine import Machine, booted

if TYPE_CHECKING:
    from collections.abc import Iterator


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


def test_a_daemon_that_was_given_up_starts_again(daemon: Machine) -> None:
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
