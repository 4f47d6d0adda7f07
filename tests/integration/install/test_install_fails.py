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

TMP = "/tmp"  # noqa: S108 - inside the machine


def test_answers_that_will_not_do_change_nothing(
    machine: Machine, server: Server
) -> None:
    before = machine.differences(times=True)

    for options, reason in (
        (("--no-systemd",), "no terminal to ask on"),
        (("--yes", "--recipient", "a b"), "is no mail address"),
        (("--yes", "--token-file", "/etc/hosts"), "does not hold one IPinfo token"),
        (("--yes", "--token-file", "/nowhere"), "there is no file /nowhere"),
        (("--yes", "--offline", "/nowhere"), "there is no folder /nowhere"),
    ):
        assert reason in machine.install(*options, code=1)

    assert machine.differences(times=True) == before
    assert set(OLD) <= server.banned()


def test_a_sample_recipient_is_refused_and_everything_taken_back(
    machine: Machine, server: Server
) -> None:
    before = machine.differences()

    told = machine.install("--recipient", "you@mail.com", *INSTALL, code=1)

    assert "you@mail.com: a sample address" in told
    assert machine.differences() == before
    assert set(OLD) <= server.banned()


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


@pytest.mark.parametrize("place", ["/etc/fail2ban/jail.d", "/etc"])
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


def test_a_disk_that_fills_up_undoes_all(
    bare_machine: Machine, bare_server: Server
) -> None:
    before = bare_machine.differences()
    # Below the limit that is looked at first: it fills up under our hands.
    checks = bare_machine.checkout / "packaging" / "lib" / "checks.sh"
    text = checks.read_text()
    checks.write_text(text.replace("space_megabytes=200", "space_megabytes=1"))
    bare_machine.run("mount", "-t", "tmpfs", "-o", "size=40m", "full", "/opt")
    bare_machine.run("mkdir", "/opt/tmp")
    # /tmp is on the same disk: nothing can be written to take it all back.
    bare_machine.run("mount", "--bind", "/opt/tmp", TMP)

    told = bare_machine.install(*INSTALL, code=1)

    assert "taking back" in told
    assert bare_machine.run("ls", "-A", "/opt") == "tmp\n"
    bare_machine.run("umount", TMP, "/opt")
    assert bare_machine.differences() == before
    assert set(OLD) <= bare_server.banned()


def test_the_new_environment_makes_room_for_the_files_of_before(
    bare_machine: Machine,
) -> None:
    taken_back = """
        mount -t tmpfs -o size=1m full /mnt/full && mkdir /mnt/full/env &&
        echo new >/mnt/full/file && head -c 900k /dev/zero >/mnt/full/env/program
        work=/mnt root='' environment=/mnt/full/env
        . /mnt/src/packaging/lib/place.sh
        to_undo built /mnt/full/env && to_undo restore /mnt/full/file /mnt/before
        echo tree /mnt/wheels >>/mnt/journal # cut off by a full disk
        undo
    """
    bare_machine.run("mkdir", "/mnt/full")
    bare_machine.write("/mnt/before", "a" * 400_000)

    bare_machine.run("sh", "-c", taken_back)

    assert bare_machine.run("ls", "/mnt/full") == "file\n"
    assert bare_machine.path("/mnt/full/file").read_text() == "a" * 400_000
    assert bare_machine.run("ls", "/mnt/wheels") != ""


def test_a_full_disk_is_seen_beforehand(
    bare_machine: Machine, bare_server: Server
) -> None:
    bare_machine.run("mount", "-t", "tmpfs", "-o", "size=100m", "full", "/opt")

    told = bare_machine.install(*INSTALL, code=1)

    assert "/opt has 100 MB left; this needs 200 MB" in told
    assert set(OLD) <= bare_server.banned()


def test_wrong_usage_is_told(machine: Machine) -> None:
    for options, reason in (
        (("--bogus",), "there is no option --bogus"),
        (("--recipient",), "--recipient needs a value"),
        (("--keyless", "--local-only"), "only one of"),
        (("--prefix", "/a b"), "plain letters"),
        (("--prefix", "relative"), "plain letters"),
        (("--prefix", "/usr/../tmp"), "plain letters"),
    ):
        assert reason in machine.install(*options, code=2)


def test_what_is_not_installed_cannot_be_removed(machine: Machine) -> None:
    assert "nothing is installed here" in machine.install("--uninstall", code=1)


def test_the_live_system_is_no_staged_tree(machine: Machine) -> None:
    machine.run("ln", "-s", "/", "/mnt/live")

    for folder in ("/", "//", "/mnt/live"):
        told = machine.install(*INSTALL, env={"DESTDIR": folder}, code=2)
        assert "is this system itself" in told


def test_a_system_that_lacks_something_is_told_what(machine: Machine) -> None:
    machine.path("/usr/bin/cmp").unlink()

    assert "there is no program cmp" in machine.install(*INSTALL, code=1)

    machine.write("/usr/bin/cmp", "#!/bin/sh\n", mode=0o755)
    built = machine.run("/usr/bin/python3", "-c", BUILT).strip()
    text = machine.path(built).read_text()
    machine.write(built, text.replace("linux-gnu", "linux-musl"))
    assert "is made for musl" in machine.install(*INSTALL, code=1)


BUILT = """\
import importlib, sysconfig
print(importlib.import_module(sysconfig._get_sysconfigdata_name()).__file__)
"""


def test_collecting_wheels_can_be_rehearsed(machine: Machine) -> None:
    told = machine.install("--bundle", "/mnt/bundle", "--dry-run")

    assert "in /mnt/bundle; nothing was changed" in told
    assert not machine.path("/mnt/bundle").exists()


def test_an_environment_without_a_package_is_built_anew(
    machine: Machine, server: Server
) -> None:
    del server
    packages = "/opt/f2b-enrich/lib/python3.*/site-packages"
    machine.run("sh", "-c", f"rm -r {packages}/aiosmtplib")

    assert "build the Python environment" in machine.install(*INSTALL, "--dry-run")
