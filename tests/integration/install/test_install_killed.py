"""install.sh ended from outside, and two of it at a time."""

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

LOCK = "/run/f2b-enrich-install.lock"
KILLED = """
install=$$
(while ! [ -e "$2" ]; do sleep 0.02; done; kill -"$1" $install) &
shift 2
exec /mnt/src/install.sh "$@"
"""
MKDIR = """\
#!/bin/sh
/bin/mkdir "$@" || exit
case $1 in */man8) kill -TERM "$PPID" ;; esac
"""


@pytest.mark.parametrize(
    ("signal", "reached"),
    [("TERM", "/usr/local/bin/f2b-enrich"), ("QUIT", "/usr/local/lib/f2b-enrich")],
)
def test_a_signal_undoes_what_was_done(
    machine: Machine, server: Server, signal: str, reached: str
) -> None:
    before = machine.differences()

    told = machine.run("sh", "-c", KILLED, "-", signal, reached, *INSTALL, code=130)

    assert "taking back" in told
    assert machine.differences() == before
    assert set(OLD) <= server.banned()


@pytest.mark.usefixtures("server")
def test_a_signal_after_a_folder_was_made_takes_it_back(machine: Machine) -> None:
    telling = machine.path("/usr/local/sbin/mkdir")
    telling.write_text(MKDIR)
    telling.chmod(0o755)
    before = machine.differences()

    told = machine.run("/mnt/src/install.sh", *INSTALL, code=130)

    assert "make /usr/local/share/man/man8" in told
    assert machine.differences() == before


def test_a_reader_that_leaves_undoes_what_was_done(
    machine: Machine, server: Server
) -> None:
    before = machine.differences()

    machine.run("sh", "-c", '"$0" "$@" | head -n 9', "/mnt/src/install.sh", *INSTALL)

    machine.run("flock", LOCK, "true")  # it is at its end
    assert machine.differences() == before
    assert set(OLD) <= server.banned()


def test_a_reader_that_leaves_at_the_end_leaves_it_installed(
    machine: Machine, server: Server
) -> None:
    machine.install(*INSTALL)
    version = machine.checkout / "f2b_enrich" / "__init__.py"
    version.write_text(version.read_text().replace('"0.1', '"9.1'))
    # The next line is the last; in between the old environment is removed.
    reader = 'while read -r line; do case $line in *"active in"*) exit 0 ;; esac; done'
    command = f'"$0" "$@" | {{ {reader}; }}'

    machine.run("sh", "-c", command, "/mnt/src/install.sh", *INSTALL)

    machine.run("flock", LOCK, "true")  # it is at its end
    assert "9.1" in machine.run("f2b-enrich", "--version")
    assert not machine.path("/opt/f2b-enrich.old").exists()
    assert set(OLD) <= server.banned()


def test_what_a_killed_run_made_is_removed_in_the_end(
    machine: Machine, server: Server
) -> None:
    before = without_environment(machine)
    program = "/usr/local/bin/f2b-enrich"
    machine.run("sh", "-c", KILLED, "-", "KILL", program, *INSTALL, code=None)
    machine.run("flock", LOCK, "true")  # what it had started has ended as well
    assert "f2b-enrich" in machine.path("/etc/passwd").read_text()
    # As between a line in the draft and its step, and between two renames.
    draft = machine.path("/usr/local/lib/f2b-enrich/manifest.draft")
    with draft.open("a") as lines:
        lines.write("file 0 /etc/fail2ban/jail.d/f2b-enrich.conf\n")
    machine.run("mv", "/opt/f2b-enrich", "/opt/f2b-enrich.old")

    assert "put /opt/f2b-enrich.old back" in machine.install(*INSTALL)

    assert "f2b-enrich" in server.actions()
    assert not machine.path("/opt/f2b-enrich.old").exists()
    assert not machine.path("/usr/local/lib/f2b-enrich/manifest.draft").exists()
    machine.run("usermod", "-aG", "f2b-enrich", "nobody")
    assert "Kept: user and group" in machine.install("--uninstall")
    machine.run("gpasswd", "-d", "nobody", "f2b-enrich")
    machine.install("--purge")
    assert without_environment(machine) == before
    assert set(OLD) <= server.banned()


def test_a_second_run_beside_the_first_is_refused(machine: Machine) -> None:
    told = machine.run("flock", LOCK, "/mnt/src/install.sh", *INSTALL, code=1)

    assert "another install.sh is at work" in told


def without_environment(machine: Machine) -> dict[str, str]:
    """Tell what differs, but for the environment that these tests begin with."""
    found = machine.differences()
    return {path: now for path, now in found.items() if not path.startswith("/opt")}
