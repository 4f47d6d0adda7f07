"""A copy of this machine that is thrown away, with or without the environment."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.distros.carrier import write_wheels
from tests.distros.machine import PROJECT, Machine, copy_checkout
from tests.distros.server import Server

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path("/")


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("wheels")


@pytest.fixture(scope="session")
def checkout(wheels: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout whose requirements are met by the wheels."""
    folder = tmp_path_factory.mktemp("checkout")
    copy_checkout(PROJECT, folder)
    runtime = folder / "requirements" / "runtime.txt"
    runtime.write_text(write_wheels(runtime, wheels))
    return folder


@pytest.fixture(scope="session")
def extras(checkout: Path, wheels: Path) -> None:
    """Meet the requirements of the extras, too."""
    for name in ("report", "browse"):
        required = checkout / "requirements" / f"{name}.txt"
        required.write_text(write_wheels(required, wheels))


@pytest.fixture(scope="session")
def with_environment(checkout: Path, wheels: Path) -> Iterator[Path]:
    """A tree that holds nothing but the environment, which takes long to build."""
    # Two layers of one overlay cannot lie in each other, as all of / and /tmp do.
    tree = Path(tempfile.mkdtemp(prefix="f2b-layer-", dir="/dev/shm"))
    try:
        with Machine(ROOT, wheels=wheels, checkout=checkout) as machine:
            staged = {"DESTDIR": "/mnt/stage"}
            machine.install("--offline", "/mnt/wheels", env=staged)
            made = machine.path("/mnt/stage/opt/f2b-enrich")
            shutil.copytree(made, tree / "opt/f2b-enrich", symlinks=True)
        yield tree
    finally:
        shutil.rmtree(tree)


@pytest.fixture
def bare_machine(checkout: Path, wheels: Path) -> Iterator[Machine]:
    with Machine(ROOT, wheels=wheels, checkout=checkout) as machine:
        yield machine


@pytest.fixture
def machine(checkout: Path, wheels: Path, with_environment: Path) -> Iterator[Machine]:
    """A machine where the environment of this version is in its place already."""
    trees = (with_environment, ROOT)
    with Machine(*trees, wheels=wheels, checkout=checkout) as machine:
        yield machine


@pytest.fixture
def bare_server(bare_machine: Machine) -> Server:
    server = Server(bare_machine)
    server.set_up()
    return server


@pytest.fixture
def server(machine: Machine) -> Server:
    server = Server(machine)
    server.set_up()
    return server
