"""install.sh under a real systemd: its units run, and leave nothing behind."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from demo.lab import PROJECT
from tests.distros.machine import copy_checkout
from tests.distros.server import OLD, until
from tests.systemd_machine import Machine, booted

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.timeout(300)

UNITS = ("f2b-enrich.socket", "f2b-enrich.service", "f2b-enrich-geo.timer")
JAILS = """\
[DEFAULT]
banaction = no-firewall
banaction_allports = no-firewall
usedns = no
[sshd]
enabled = true
backend = polling
logpath = /var/log/auth.log
maxretry = 3
"""
FIREWALL = "[Definition]\nactionban = true\nactionunban = true\n"
LISTED = """
cd /; for d in etc opt usr/local var/lib var/spool; do
    find $d -path var/lib/fail2ban -prune -o -path var/lib/systemd/random-seed -prune \
        -o -name '*-' -prune -o -name .pwd.lock -prune \
        -o -type f -printf '%p %M %u %g ' -exec sha256sum {} ';' \
        -o -printf '%p %M %u %g %l\\n'
done | sort
"""


@pytest.fixture
def checkout(checkout: Path, wheels: Path) -> Iterator[Path]:
    """Both where a machine sees them: it has a /tmp of its own."""
    folder = Path(tempfile.mkdtemp(prefix="f2b-checkout-", dir="/var/tmp"))
    try:
        copy_checkout(checkout, folder)
        shutil.copytree(wheels, folder / "wheels")
        yield folder
    finally:
        shutil.rmtree(folder)


@pytest.fixture
def machine(checkout: Path, tmp_path: Path) -> Iterator[Machine]:
    """A server with systemd, and with a Fail2Ban that holds twenty bans."""
    del checkout  # it has to be there at the boot
    with booted(tmp_path, laid_out=False) as machine:
        machine.write("/etc/hosts", "127.0.0.1 localhost\n")
        machine.run("ip", "link", "set", "lo", "up")
        machine.write("/etc/fail2ban/action.d/no-firewall.conf", FIREWALL)
        machine.write("/etc/fail2ban/jail.local", JAILS)
        machine.write("/var/log/auth.log", "")
        machine.write("/root/sink.py", (PROJECT / "tests/distros/sink.py").read_text())
        machine.run("mkdir", "-p", "/root/mails")
        sink = ("/usr/bin/python3", "/root/sink.py", "/root/mails")
        machine.run("systemd-run", "--unit=sink", *sink)
        machine.run("systemctl", "start", "fail2ban")
        assert until(lambda: "pong" in machine.run(*PING, check=False))
        machine.run("fail2ban-client", "set", "sshd", "banip", *OLD)
        assert until(lambda: banned(machine) == set(OLD))
        yield machine


PING = ("fail2ban-client", "ping")


def test_units_serve_bans_and_leave_nothing_behind(
    machine: Machine, checkout: Path
) -> None:
    before = listed(machine)
    units_before = machine.run("systemctl", "list-unit-files", "--no-legend")

    install(machine, checkout)

    states = machine.run("systemctl", "is-active", *UNITS).split()
    assert states == ["active"] * len(UNITS)
    attack(machine, "198.51.100.1")
    arrives(machine, "198.51.100.1")
    machine.run("systemctl", "restart", "fail2ban", "f2b-enrich.service")
    assert until(lambda: set(OLD) <= banned(machine))
    attack(machine, "198.51.100.2")
    arrives(machine, "198.51.100.2")
    installed = listed(machine)
    assert "Nothing to change" in install(machine, checkout)
    assert without_state(listed(machine)) == without_state(installed)

    machine.run(str(checkout / "install.sh"), "--uninstall")

    assert set(OLD) <= banned(machine)
    machine.run(str(checkout / "install.sh"), "--purge")
    assert listed(machine) == before
    assert machine.run("systemctl", "list-unit-files", "--no-legend") == units_before
    assert machine.run("systemctl", "--failed", "--no-legend", "f2b-*") == ""
    assert "f2b-enrich" not in machine.run("systemctl", "list-timers", "--all")
    assert machine.run("ls", "/run/f2b-enrich", check=False).startswith("ls: ")


def test_a_service_that_does_not_start_undoes_all(
    machine: Machine, checkout: Path
) -> None:
    before = listed(machine)
    unit = checkout / "packaging/systemd/f2b-enrich.service"
    text = unit.read_text()
    unit.write_text(text.replace("ExecStart=/opt", "ExecStart=/nowhere"))

    told = install(machine, checkout, check=False)

    assert "taking back" in told
    assert listed(machine) == before
    loaded = machine.run("systemctl", "list-units", "--all", "--no-legend", "f2b-*")
    assert loaded == ""
    assert "f2b-enrich" not in machine.run("fail2ban-client", "get", "sshd", "actions")
    assert set(OLD) <= banned(machine)


def install(machine: Machine, checkout: Path, *, check: bool = True) -> str:
    wheels = str(checkout / "wheels")
    words = (str(checkout / "install.sh"), "--yes", "--offline", wheels)
    return machine.run(*words, check=check)


def banned(machine: Machine) -> set[str]:
    told = machine.run("fail2ban-client", "get", "sshd", "banip", check=False)
    return set(told.split())


def attack(machine: Machine, address: str) -> None:
    machine.run("sh", "-c", f"{ATTACK} >>/var/log/auth.log", "-", address)


ATTACK = """\
for n in 1 2 3; do
    echo "$(date '+%b %e %H:%M:%S') web1 sshd[4021]: \
Failed password for root from $1 port 502"
done"""


def arrives(machine: Machine, address: str) -> None:
    """Wait for the row, and for the mail."""
    assert until(
        lambda: any(row["mail_state"] == "sent" for row in rows(machine, address))
    ), machine.journal("f2b-enrich")
    mails = machine.run("sh", "-c", "cat /root/mails/*.eml")
    assert address in mails


def rows(machine: Machine, address: str) -> list[dict[str, Any]]:
    query = f"select * from ban_log where ip = '{address}'"  # noqa: S608
    told = machine.run("f2b-enrich", "sql", query, "--json", check=False)
    return json.loads(told) if told.startswith("[") else []


def listed(machine: Machine) -> list[str]:
    """Describe every file in the places where an installation puts something."""
    return machine.run("sh", "-c", LISTED).splitlines()


def without_state(files: list[str]) -> list[str]:
    """Leave out what the daemon writes as it goes."""
    return [line for line in files if not line.startswith("var/lib/f2b-enrich")]
