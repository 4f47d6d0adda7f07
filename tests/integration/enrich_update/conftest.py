"""An old database in its place, and a newer one to be had."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.fake_ipinfo import FakeIpinfo
from tests.integration.enrich_update.updating import NEW, OLD, database
from tests.mmdb import WITHOUT_NETWORK

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def target(tmp_path: Path) -> Path:
    folder = tmp_path / "geo"
    folder.mkdir()
    path = folder / "ipinfo_lite.mmdb"
    path.write_bytes(database(tmp_path, OLD, WITHOUT_NETWORK))
    return path


@pytest.fixture
def content(tmp_path: Path) -> bytes:
    return database(tmp_path, NEW)


@pytest.fixture
def server(content: bytes) -> Iterator[FakeIpinfo]:
    with FakeIpinfo() as fake:
        fake.database = content
        yield fake


@pytest.fixture
def source(content: bytes, tmp_path: Path) -> Path:
    path = tmp_path / "new.mmdb"
    path.write_bytes(content)
    return path
