"""Rows for people and for programs; what an attacker wrote moves no cursor."""

from __future__ import annotations

import dataclasses
import json
import shutil
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from f2b_enrich.inert import printable
from f2b_enrich.model import time_text
from f2b_enrich.tables import columns_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_GAP = "  "


def screen_width() -> int | None:
    """Tell how wide the terminal is; None if the output goes elsewhere."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def beside(parts: Iterable[str], *, width: int | None, indent: int = 2) -> str:
    """Put parts side by side, on a further line where the screen ends."""
    lines: list[str] = []
    for part in filter(None, map(printable, parts)):
        longer = f"{lines[-1]}{_GAP}{part}" if lines else part
        if lines and width is not None and columns_of(longer) > width:
            lines.append(" " * indent + part)
        elif lines:
            lines[-1] = longer
        else:
            lines.append(part)
    return "\n".join(lines)


def json_lines(
    columns: Sequence[str], rows: Iterable[Sequence[object]]
) -> Iterator[str]:
    """Write rows as one JSON array of objects, a line each."""
    before = "["
    for row in rows:
        yield f"{before}{json_text(dict(zip(columns, row, strict=True)))}"
        before = ","
    yield "]" if before == "," else "[]"


def json_text(value: object, *, indent: int | None = None) -> str:
    """Write a value as JSON; it is ASCII, so that nothing in it reaches a terminal."""
    return json.dumps(value, default=_plain, indent=indent)


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return time_text(value)
    if isinstance(value, Path):
        return str(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        # Not asdict: it copies, and a read-only mapping cannot be copied.
        return {
            field.name: getattr(value, field.name)
            for field in dataclasses.fields(value)
        }
    raise TypeError(f"{type(value).__name__} has no JSON form")
