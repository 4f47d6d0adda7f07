"""The whole way, from nothing to nothing, on a copy of this machine.

`make e2e-distros` goes it on fresh systems of each distribution.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.distros.journey import whole_way

if TYPE_CHECKING:
    from tests.distros.machine import Machine


@pytest.mark.skipif(os.geteuid() != 0, reason="makes namespaces: needs root")
@pytest.mark.timeout(300)
def test_the_whole_way(bare_machine: Machine) -> None:
    steps: list[str] = []

    whole_way(bare_machine, steps.append)

    assert steps
    assert "removed" in steps[-1], steps
