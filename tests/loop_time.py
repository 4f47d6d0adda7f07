"""The time of an event loop, put forward where a limit is to pass at a certain step."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio

    import pytest


class LoopTime:
    """Runs on as the loop's own does, and is ahead of it by what a test says.

    A limit can then be so long that no busy machine reaches it before the step that
    the test is about, and still nobody waits for it.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self._loop = loop
        self._own = loop.time
        self._ahead = 0.0
        monkeypatch.setattr(loop, "time", self)

    def __call__(self) -> float:
        return self._own() + self._ahead

    def move(self, seconds: float) -> None:
        """Let so many seconds have passed; from any thread."""
        self._ahead += seconds
        self._loop.call_soon_threadsafe(lambda: None)  # it may sleep by the old time
