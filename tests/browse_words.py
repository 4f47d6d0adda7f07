"""Writes what `f2b-enrich browse` says of tables, out of docs/reference/store.md.

Run as `python -m tests.browse_words` when that page changes.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

PROJECT = Path(__file__).parents[1]
PAGE = PROJECT / "docs/reference/store.md"
WORDS = PROJECT / "f2b_enrich/cli/browse_words.json"

_SECTION = re.compile(r"^##+ (.+)$", re.MULTILINE)
_ROW = re.compile(r"^\| (`.+?) \| (.+) \|$", re.MULTILINE)
_CODE = re.compile(r"`([^`]+)`")
_LINK = re.compile(r"\[([^\]]+)\]\([^)]+\)")


def words(page: str) -> dict[str, dict[str, object]]:
    """Give text and columns by table, the first that a section names or each of it."""
    found: dict[str, dict[str, object]] = {}
    parts = _SECTION.split(page)
    for title, text in zip(parts[1::2], parts[2::2], strict=True):
        tables = _CODE.findall(title)
        for table in tables:
            about = next((line for line in text.splitlines() if line.strip()), "")
            found[table] = {
                "description": "" if about.startswith("|") else _plain(about),
                "columns": dict(_columns(table, text)),
            }
    _explain(found)
    return found


def _explain(found: dict[str, dict[str, object]]) -> None:
    """Say of the view's columns what the tables say of them."""
    view = found["ban_log"]["columns"]
    assert isinstance(view, dict)
    for name, meaning in view.items():
        table, _, _ = meaning.partition(":")
        behind = found.get(table, {}).get("columns")
        if isinstance(behind, dict) and name in behind:
            view[name] = behind[name]


def _columns(table: str, text: str) -> list[tuple[str, str]]:
    columns = []
    for names, meaning in _ROW.findall(text):
        for name in _CODE.findall(names):
            owner, _, column = name.rpartition(".")
            if owner in {"", table}:
                columns.append((column, _plain(meaning)))
    return columns


def _plain(text: str) -> str:
    return _LINK.sub(r"\1", text).replace("`", "").replace("*", "").strip()


def text() -> str:
    told = words(PAGE.read_text("utf-8"))
    return json.dumps(told, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    WORDS.write_text(text(), "utf-8")
