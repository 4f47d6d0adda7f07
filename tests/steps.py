"""Counting what Python and SQLite do: the same on every machine, however busy."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable
    from types import FrameType
    from typing import Any


def sqlite_steps(store: sqlite3.Connection, ask: Callable[[], object]) -> int:
    """Count the steps of SQLite's virtual machine that something takes, undone."""
    count = 0

    def one_more() -> int:
        nonlocal count
        count += 1
        return 0

    store.set_progress_handler(one_more, 1)
    store.execute("BEGIN IMMEDIATE")
    try:
        ask()
    finally:
        store.execute("ROLLBACK")
        store.set_progress_handler(None, 1)
    return count


def python_steps(ask: Callable[[], object]) -> int:
    """Count the instructions of Python that something takes."""
    count = 0

    def one_more(frame: FrameType, event: str, _: Any) -> Callable[..., Any]:
        nonlocal count
        if event == "call":
            frame.f_trace_lines, frame.f_trace_opcodes = False, True
        count += event == "opcode"
        return one_more

    before = sys.gettrace()
    sys.settrace(one_more)
    try:
        ask()
    finally:
        sys.settrace(before)
    return count
