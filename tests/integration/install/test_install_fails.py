"""install.sh where it cannot go on: nothing is changed, or all taken back."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.distros.journey import INSTALL
from tests.distros.server import OLD, Server

if TYPE_CHECKING:
    from tests.distros.machine import Machine

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="makes namespaces: needs root"),
    pytest.mark.timeout(300),
]


def test_an_upgrade_that_fails_leaves_the_old_version_running(
    machine: Machine, server: Server
) -> None:
    machine.install(*INSTALL)
    before = machine.differences()
    version = machine.checkout / "f2b_enrich" / "__init__.py"
    version.write_text(version.read_text().replace('"0.1', '"9.1'))
    # It is found at the last file, after the new environment took its place.
    machine.write("/mnt/src/action.d/f2b-enrich.conf", "[Definition]\nactionban = %x\n")

    told = machine.install(*INSTALL, code=1)

    assert "no plan for Fail2Ban's jails" in told
    assert machine.differences() == before
    assert "0.1" in machine.run("f2b-enrich", "--version")
    assert "f2b-enrich" in server.actions()


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (("--no-systemd",), "no terminal to ask on"),
        (("--yes", "--recipient", "a b"), "is no mail address"),
        (("--yes", "--token-file", "/etc/hosts"), "does not hold one IPinfo token"),
        (("--yes", "--token-file", "/nowhere"), "there is no file /nowhere"),
    ],
)
def test_answers_that_will_not_do_change_nothing(
    machine: Machine, server: Server, options: tuple[str, ...], reason: str
) -> None:
    before = machine.differences(times=True)

    told = machine.install(*options, code=1)

    assert reason in told
    assert machine.differences(times=True) == before
    assert set(OLD) <= server.banned()


def test_a_sample_recipient_is_refused_and_everything_taken_back(
    bare_machine: Machine, bare_server: Server
) -> None:
    before = bare_machine.differences()

    told = bare_machine.install("--recipient", "you@mail.com", *INSTALL, code=1)

    assert "you@mail.com: a sample address" in told
    assert bare_machine.differences() == before
    assert set(OLD) <= bare_server.banned()


def test_a_wheel_that_is_not_the_pinned_one_is_refused(
    bare_machine: Machine, bare_server: Server
) -> None:
    runtime = bare_machine.checkout / "requirements" / "runtime.txt"
    text = runtime.read_text()
    runtime.write_text(text.replace("sha256:", "sha256:0000", 1)[:-5] + "\n")
    before = bare_machine.differences()

    told = bare_machine.install(*INSTALL, code=1)

    assert "pip could not install the pinned packages" in told
    assert bare_machine.differences() == before
    assert set(OLD) <= bare_server.banned()


def test_a_fault_of_the_administrators_own_stops_it_before_anything(
    machine: Machine, server: Server
) -> None:
    machine.write("/etc/fail2ban/jail.d/own.local", "[sshd]\nfilter = not-there\n")
    before = machine.differences(times=True)

    told = machine.install(*INSTALL, code=1)

    assert "refuses its configuration as it is, without ours" in told
    assert machine.differences(times=True) == before
    assert set(OLD) <= server.banned()


@pytest.mark.parametrize(
    "place",
    [
        "/etc/fail2ban/jail.d",
        "/usr/local/bin",
        "/var/spool",
        "/var/lib",
        "/etc",
    ],
)
def test_a_place_that_cannot_be_written_to_undoes_all(
    machine: Machine, server: Server, place: str
) -> None:
    before = machine.differences()
    machine.run("mount", "--bind", place, place)
    machine.run("mount", "-o", "remount,bind,ro", place)

    told = machine.install(*INSTALL, code=1)

    machine.run("umount", place)
    assert "ead-only file system" in told or "cannot lock" in told, told
    assert machine.differences() == before
    assert "f2b-enrich" not in server.actions()
    assert set(OLD) <= server.banned()


@pytest.mark.parametrize("megabytes", [8, 40])
def test_a_disk_that_fills_up_undoes_all(
    bare_machine: Machine, bare_server: Server, megabytes: int
) -> None:
    before = bare_machine.differences()
    # Below the limit that is looked at first: it fills up under our hands.
    checks = bare_machine.checkout / "packaging" / "lib" / "checks.sh"
    text = checks.read_text()
    checks.write_text(text.replace("space_megabytes=200", "space_megabytes=1"))
    bare_machine.run("mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "full", "/opt")

    told = bare_machine.install(*INSTALL, code=1)

    assert "taking back" in told
    assert bare_machine.run("ls", "-A", "/opt") == ""
    bare_machine.run("umount", "/opt")
    assert bare_machine.differences() == before
    assert set(OLD) <= bare_server.banned()


def test_a_full_disk_is_seen_beforehand(
    bare_machine: Machine, bare_server: Server
) -> None:
    bare_machine.run("mount", "-t", "tmpfs", "-o", "size=100m", "full", "/opt")

    told = bare_machine.install(*INSTALL, code=1)

    assert "/opt has 100 MB left; this needs 200 MB" in told
    assert set(OLD) <= bare_server.banned()


def test_a_file_of_somebody_elses_is_not_overwritten(
    machine: Machine, server: Server
) -> None:
    machine.write("/usr/local/bin/f2b-enrich", "#!/bin/sh\n", mode=0o755)
    before = machine.differences()

    told = machine.install(*INSTALL, code=1)

    assert "/usr/local/bin/f2b-enrich is there and not from here" in told
    assert machine.differences() == before
    assert set(OLD) <= server.banned()


def test_a_signal_in_the_middle_undoes_what_was_done(
    bare_machine: Machine, bare_server: Server
) -> None:
    before = bare_machine.differences()
    interrupted = (
        "/mnt/src/install.sh --yes --no-systemd --offline /mnt/wheels & "
        "while ! [ -e /opt/f2b-enrich.new/bin/pip ]; do sleep 0.05; done; "
        "kill -TERM $!; wait $!"
    )

    bare_machine.run("sh", "-c", interrupted, code=130)

    assert bare_machine.differences() == before
    assert set(OLD) <= bare_server.banned()


def test_a_run_that_was_killed_is_mended_by_the_next(
    machine: Machine, server: Server
) -> None:
    machine.install(*INSTALL)
    before = machine.differences()
    machine.run("mv", "/opt/f2b-enrich", "/opt/f2b-enrich.old")

    machine.install(*INSTALL)

    assert machine.differences() == before
    assert set(OLD) <= server.banned()


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (("--bogus",), "there is no option --bogus"),
        (("--recipient",), "--recipient needs a value"),
        (("--keyless", "--local-only"), "only one of"),
        (("--prefix", "/a b"), "plain letters"),
        (("--prefix", "relative"), "plain letters"),
        (("--prefix", "/usr/../tmp"), "plain letters"),
    ],
)
def test_wrong_usage_is_told(
    machine: Machine, options: tuple[str, ...], reason: str
) -> None:
    assert reason in machine.install(*options, code=2)


def test_what_is_not_installed_cannot_be_removed(machine: Machine) -> None:
    assert "nothing is installed here" in machine.install("--uninstall", code=1)
