"""Asking the store beside the writes, on a connection of its own."""

from __future__ import annotations

import asyncio
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from f2b_enrich.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class Reads:
    """Run reads one after another in a thread."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="store-reader")

    async def run(self, read: Callable[[sqlite3.Connection], T]) -> T:
        """Run one read in the reading thread.

        Raises:
            StoreError: the store cannot be read now.
        """
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._thread, read, self._connection)
        except sqlite3.Error as exc:
            raise StoreError(f"store: {exc}") from exc

    def close(self) -> None:
        """End the thread."""
        self._thread.shutdown()
