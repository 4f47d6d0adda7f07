"""Programs that are interrupted, or short of room, and so not measured meanwhile."""

from __future__ import annotations

import os


def environ() -> dict[str, str]:
    """Give this environment without what measures coverage in processes of their own.

    A signal that comes up while coverage holds its lock would never let it go, and its
    file needs room and rights.
    """
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("COVERAGE")
    }
