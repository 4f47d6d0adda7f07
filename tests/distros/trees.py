"""Fresh trees of Debian, made once by debootstrap and never changed afterwards."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

from tests.distros.machine import PROJECT

if TYPE_CHECKING:
    from pathlib import Path

KEPT = PROJECT / "build" / "distros"
PYTHONS = {"bookworm": "3.11", "trixie": "3.13"}


def tree(suite: str) -> Path:
    """Give the tree of a suite, with fail2ban and what install.sh asks for in it."""
    made = KEPT / suite
    if not made.exists():
        part = KEPT / f"{suite}.part"
        shutil.rmtree(part, ignore_errors=True)
        part.parent.mkdir(parents=True, exist_ok=True)
        options = ("--variant=minbase", "--include=fail2ban,python3,python3-venv")
        subprocess.run(
            ["debootstrap", *options, suite, str(part), *_mirror()],
            stdout=subprocess.DEVNULL,
            check=True,
        )
        part.rename(made)
    return made


def _mirror() -> list[str]:
    """Name the mirror: what $DEBIAN_MIRROR says, else apt's first."""
    if "DEBIAN_MIRROR" in os.environ:
        return [os.environ["DEBIAN_MIRROR"]]
    asked = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(REPO_URI)"],
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    return asked.stdout.split()[:1]


def wheels(suite: str) -> Path:
    """Give a bundle of what the program needs there; of these requirements only."""
    python = PYTHONS[suite]
    bundle = KEPT / f"wheels-{python}"
    wanted = (PROJECT / "requirements" / "runtime.txt").read_bytes()
    noted = bundle / "runtime.txt"
    if not noted.exists() or noted.read_bytes() != wanted:
        shutil.rmtree(bundle, ignore_errors=True)
        subprocess.run(
            ["./install.sh", "--bundle", str(bundle), "--for-python", python],
            cwd=PROJECT,
            stdout=subprocess.DEVNULL,
            check=True,
        )
        noted.write_bytes(wanted)
    return bundle
