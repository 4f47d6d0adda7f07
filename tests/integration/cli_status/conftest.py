"""A configuration and what it names, in a folder that a socket fits in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.integration.cli_status.place import Place

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def place(short_folder: Path) -> Place:
    return Place(short_folder)
