"""A store with a little of everything, classed, and an empty one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.stores import StoreBuilder, filled

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def store(tmp_path: Path) -> StoreBuilder:
    store = filled(tmp_path / "bans.db")
    store.classify()
    return store


@pytest.fixture
def empty(tmp_path: Path) -> StoreBuilder:
    return StoreBuilder(tmp_path / "bans.db")
