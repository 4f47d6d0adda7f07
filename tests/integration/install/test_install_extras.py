"""install.sh with what is not for everybody: it is added, kept, and dropped."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

import pytest

from tests.distros.journey import INSTALL
from tests.distros.machine import PROJECT

if TYPE_CHECKING:
    from tests.distros.machine import Machine

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="makes namespaces: needs root"),
    pytest.mark.timeout(300),
]

PYTHON = "/opt/f2b-enrich/bin/python3"
_PINNED = re.compile(r"^([A-Za-z0-9_.-]+)==(\S+)", re.MULTILINE)


@pytest.mark.usefixtures("extras", "server")
def test_extras_are_added_kept_and_dropped(machine: Machine) -> None:
    machine.install(*INSTALL)
    machine.run(PYTHON, "-c", "import datasette", code=1)
    shown = machine.install(*INSTALL, "--with", "browse", "--dry-run")
    assert "/opt/f2b-enrich, with browse\n" in shown
    assert not machine.path("/opt/f2b-enrich/extras").exists()

    told = machine.install(*INSTALL, "--with", "browse", "--with=report")
    assert (
        "build the Python environment in /opt/f2b-enrich, with report, with browse"
        in told
    )
    machine.run(PYTHON, "-c", "import altair, vl_convert, datasette.app")

    assert "Nothing to change" in machine.install(*INSTALL)
    assert "Nothing to change" in machine.install(*INSTALL, "--with", "report")

    told = machine.install(*INSTALL, "--without", "report")
    assert "in /opt/f2b-enrich, with browse\n" in told
    machine.run(PYTHON, "-c", "import datasette.app")
    machine.run(PYTHON, "-c", "import altair", code=1)

    told = machine.install("--purge")
    assert not machine.path("/opt/f2b-enrich").exists()


@pytest.mark.usefixtures("server")
def test_a_bundle_without_the_extra_leaves_what_is_there(machine: Machine) -> None:
    machine.install(*INSTALL)
    machine.run("mkdir", "/root/bundle")
    words = ("--with", "browse", "--offline", "/root/bundle")
    told = machine.run("/mnt/src/install.sh", *INSTALL, *words, code=1)

    assert (
        "install.sh: pip could not install the pinned packages; what /root/bundle "
        "lacks collects: --bundle DIR --with browse\n"
    ) in told
    assert not machine.path("/opt/f2b-enrich/extras").exists()
    assert "Nothing to change" in machine.install(*INSTALL)


@pytest.mark.usefixtures("server")
def test_an_extra_that_there_is_not_is_wrong_usage(machine: Machine) -> None:
    told = machine.run(
        *("/mnt/src/install.sh", *INSTALL, "--with", "everything"), code=2
    )

    assert told == (
        "install.sh: there is no extra everything; there are report and browse; "
        "--help shows them\n"
    )


def test_all_sets_pin_the_same_versions() -> None:
    # Else pip could not install two extras beside each other.
    found: dict[str, set[str]] = {}
    for name in ("runtime", "report", "browse"):
        text = (PROJECT / "requirements" / f"{name}.txt").read_text("utf-8")
        for package, version in _PINNED.findall(text):
            found.setdefault(package, set()).add(version)

    assert {name: several for name, several in found.items() if len(several) > 1} == {}
