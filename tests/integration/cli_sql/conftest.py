"""A store with a little of everything."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.stores import StoreBuilder, filled

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def store(tmp_path: Path) -> StoreBuilder:
    return filled(tmp_path / "bans.db")
