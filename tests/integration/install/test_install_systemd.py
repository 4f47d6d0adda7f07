"""install.sh under a real systemd: its units run, and leave nothing behind."""

from __future__ import annotations

import contextlib
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

TIMER = "f2b-enrich-geo.timer"
UNITS = ("f2b-enrich.socket", "f2b-enrich.service", TIMER)
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
# Not what changes by itself, is Fail2Ban's, or is how useradd keeps its last state.
LISTED = """
import hashlib, os, pathlib, stat
apart = {"/var/lib/fail2ban", "/var/lib/systemd/random-seed", "/etc/.pwd.lock"}
for top in ("/etc", "/opt", "/usr/local", "/var/lib", "/var/spool"):
    for folder, folders, files in os.walk(top):
        folders[:] = [one for one in folders if f"{folder}/{one}" not in apart]
        for name in ("", *files, *folders):
            path = pathlib.Path(folder, name)
            if str(path) in apart or name.endswith("-"):
                continue
            about = path.lstat()
            says = f"{path} {about.st_mode:o} {about.st_uid}:{about.st_gid}"
            if path.is_symlink():
                says += f" {path.readlink()}"
            elif top == "/etc" and stat.S_ISREG(about.st_mode):
                says += " " + hashlib.sha256(path.read_bytes()).hexdigest()
            elif stat.S_ISREG(about.st_mode):
                says += f" {about.st_size} {about.st_mtime_ns}"
            print(says)
"""


@pytest.fixture
def release(checkout: Path, wheels: Path, with_environment: Path) -> Iterator[Path]:
    """All that a machine needs, where it sees it: it has a /tmp of its own."""
    folder = Path(tempfile.mkdtemp(prefix="f2b-checkout-", dir="/var/tmp"))
    try:
        copy_checkout(checkout, folder)
        shutil.copytree(wheels, folder / "wheels")
        made = with_environment / "opt/f2b-enrich"
        shutil.copytree(made, folder / "environment", symlinks=True)
        yield folder
    finally:
        shutil.rmtree(folder)


@pytest.fixture
def machine(release: Path, tmp_path: Path) -> Iterator[Machine]:
    """A server with systemd, and with a Fail2Ban that holds twenty bans."""
    del release  # it has to be there at the boot
    with booted(tmp_path, laid_out=False) as machine:
        machine.write("/etc/hosts", "127.0.0.1 localhost\n")
        machine.run("ip", "link", "set", "lo", "up")
        machine.write("/etc/fail2ban/action.d/no-firewall.conf", FIREWALL)
        machine.write("/etc/fail2ban/jail.local", JAILS)
        machine.write("/var/log/auth.log", "")
        machine.write("/root/sink.py", (PROJECT / "tests/distros/sink.py").read_text())
        machine.run("mkdir", "-p", "/root/mails", "/var/lib/systemd/timers")
        sink = ("/usr/bin/python3", "/root/sink.py", "/root/mails")
        machine.run("systemd-run", "--unit=sink", *sink)
        machine.run("systemctl", "start", "fail2ban")
        assert until(lambda: "pong" in machine.run(*PING, check=False))
        machine.run("fail2ban-client", "set", "sshd", "banip", *OLD)
        assert until(lambda: banned(machine) == set(OLD))
        yield machine


PING = ("fail2ban-client", "ping")


def test_units_serve_bans_and_leave_nothing_behind(
    machine: Machine, release: Path
) -> None:
    before = listed(machine), machine.run("systemctl", "list-unit-files", "--no-legend")
    # It takes long to build, and is known for the one that is wanted.
    machine.run("cp", "-a", str(release / "environment"), "/opt/f2b-enrich")

    _a_failed_installation_leaves_nothing(machine, release)
    install(machine, release)
    assert states(machine) == dict.fromkeys(UNITS, ("enabled", "active"))
    # There is no mailbox, and nobody asked for reports.
    for timer in ("f2b-enrich-mailbox.timer", "f2b-enrich-report.timer"):
        asked = ("is-enabled", timer)
        assert machine.run("systemctl", *asked, check=False).strip() == "disabled"
    _bans_arrive(machine)
    _what_the_administrator_turned_off_stays_off(machine, release)
    _a_failed_upgrade_leaves_the_old_one_running(machine, release)
    _a_unit_that_is_dropped_is_stopped(machine, release)
    machine.run(str(release / "install.sh"), "--purge")

    assert set(OLD) <= banned(machine)
    after = listed(machine), machine.run("systemctl", "list-unit-files", "--no-legend")
    assert after == before
    assert loaded(machine) == ""
    assert machine.run("ls", "/run/f2b-enrich", check=False).startswith("ls: ")


def _a_failed_installation_leaves_nothing(machine: Machine, release: Path) -> None:
    before = listed(machine)

    with broken_service(release):
        told = install(machine, release, check=False)

    assert "taking back" in told
    assert listed(machine) == before
    assert loaded(machine) == ""
    assert "f2b-enrich" not in machine.run("fail2ban-client", "get", "sshd", "actions")
    assert set(OLD) <= banned(machine)


def _bans_arrive(machine: Machine) -> None:
    attack(machine, "198.51.100.1")
    arrives(machine, "198.51.100.1")
    machine.run("systemctl", "restart", "fail2ban", "f2b-enrich.service")
    assert until(lambda: set(OLD) <= banned(machine))
    attack(machine, "198.51.100.2")
    arrives(machine, "198.51.100.2")


def _what_the_administrator_turned_off_stays_off(
    machine: Machine, release: Path
) -> None:
    machine.run("systemctl", "disable", "--now", TIMER)
    before, running = without_state(listed(machine)), states(machine)

    for options in ((), ("--no-systemd",)):
        assert "Nothing to change" in install(machine, release, *options)
        assert without_state(listed(machine)) == before
        assert states(machine) == running


def _a_failed_upgrade_leaves_the_old_one_running(
    machine: Machine, release: Path
) -> None:
    before, running = without_state(listed(machine)), states(machine)
    version = release / "f2b_enrich" / "__init__.py"
    text = version.read_text()
    version.write_text(text.replace('"0.1', '"9.1'))

    with broken_service(release):
        told = install(machine, release, check=False)

    assert "taking back" in told
    assert without_state(listed(machine)) == before
    assert states(machine) == running
    version.write_text(text)
    assert "0.1" in machine.run("f2b-enrich", "--version")
    attack(machine, "198.51.100.3")
    arrives(machine, "198.51.100.3")


def _a_unit_that_is_dropped_is_stopped(machine: Machine, release: Path) -> None:
    machine.run("systemctl", "enable", "--now", TIMER)
    (release / "packaging/systemd" / TIMER).unlink()

    install(machine, release)

    assert TIMER not in loaded(machine)
    assert not any(TIMER in line for line in listed(machine))


@contextlib.contextmanager
def broken_service(release: Path) -> Iterator[None]:
    """Ship a service that cannot be started."""
    unit = release / "packaging/systemd/f2b-enrich.service"
    text = unit.read_text()
    unit.write_text(text.replace("ExecStart=/opt", "ExecStart=/nowhere"))
    try:
        yield
    finally:
        unit.write_text(text)


def states(machine: Machine) -> dict[str, tuple[str, str]]:
    """Tell of each unit whether it is enabled, and whether it is active."""
    asked = ("is-enabled", "is-active")
    told = [machine.run("systemctl", one, *UNITS, check=False).split() for one in asked]
    return dict(zip(UNITS, zip(*told, strict=True), strict=True))


def loaded(machine: Machine) -> str:
    return machine.run("systemctl", "list-units", "--all", "--no-legend", "f2b-*")


def install(machine: Machine, release: Path, *options: str, check: bool = True) -> str:
    script, wheels = str(release / "install.sh"), str(release / "wheels")
    return machine.run(script, "--yes", "--offline", wheels, *options, check=check)


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
    told = machine.run("/usr/bin/python3", "-I", "-c", LISTED)
    return sorted(set(told.splitlines()))


def without_state(files: list[str]) -> list[str]:
    """Leave out what the daemon writes as it goes."""
    return [line for line in files if not line.startswith("/var/lib/f2b-enrich")]
