"""A report as JSON, and the schema of it that programs outside rely on.

`python -m f2b_enrich.report.as_json docs/reference` writes the schema anew.
"""

from __future__ import annotations

import dataclasses
import inspect
import json
import re
import sys
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from f2b_enrich.report import figures as contract
from f2b_enrich.report.figures import VERSION, Figures

FILE = "report.schema.json"

_ID = f"urn:f2b-enrich:report:{VERSION}"
_LINE_END = re.compile(r"(?<!\n)\n(?!\n)")
_UNSEEN = re.compile(r"[^\x20-\x7e\n]")
_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def dump(figures: Figures) -> str:
    """Write a report as UTF-8 JSON; names stand in the order of the schema."""
    plain = TypeAdapter(Figures).dump_python(figures, mode="json")
    text = json.dumps(plain, ensure_ascii=False, allow_nan=False, indent=1)
    return _UNSEEN.sub(_escaped, text) + "\n"


def _escaped(match: re.Match[str]) -> str:
    """Escape what is not printed: a terminal would act on it, a surrogate is no UTF-8.

    That is all in strings, as outside of them is nothing else than ASCII.
    """
    text = match[0]
    return text if text.isprintable() else json.dumps(text)[1:-1]


def schema() -> dict[str, Any]:
    """Describe that JSON, in the words of the figures' own descriptions."""
    # Of what is written, not read: no name may be missing.
    described = TypeAdapter(Figures).json_schema(mode="serialization")
    definitions = described.pop("$defs")
    for name, definition in definitions.items():
        _describe(name, definition)
    _describe("Figures", described)
    described.pop("title")
    described["properties"]["version"] = {"const": VERSION, "type": "integer"}
    return {
        "$schema": _DIALECT,
        "$id": _ID,
        "title": "Report of f2b-enrich",
        "version": VERSION,
        **described,
        "$defs": definitions,
    }


def _describe(name: str, definition: dict[str, Any]) -> None:
    """Add what pydantic leaves out, and take out its repetitions of names."""
    described = getattr(contract, name)
    text = inspect.cleandoc(described.__doc__)
    definition["description"] = _LINE_END.sub(" ", text)
    # A figure always has all its names, also those with a default.
    definition["required"] = [one.name for one in dataclasses.fields(described)]
    definition["additionalProperties"] = False
    for field in definition["properties"].values():
        field.pop("title", None)


def schema_text() -> str:
    """Write the schema as it stands in the documentation."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    (Path(sys.argv[1]) / FILE).write_text(schema_text(), encoding="utf-8")
