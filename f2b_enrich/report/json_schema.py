"""JSON for programs outside, and schemas of it in the words of the data's own."""

from __future__ import annotations

import dataclasses
import inspect
import json
import re
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter

if TYPE_CHECKING:
    from types import ModuleType

_LINE_END = re.compile(r"(?<!\n)\n(?!\n)")
_UNSEEN = re.compile(r"[^\x20-\x7e\n]")
_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def dump(value: Any) -> str:  # noqa: ANN401 - any of our dataclasses
    """Write UTF-8 JSON; names stand in the order of the schema."""
    plain = TypeAdapter(type(value)).dump_python(value, mode="json")
    text = json.dumps(plain, ensure_ascii=False, allow_nan=False, indent=1)
    return _UNSEEN.sub(_escaped, text) + "\n"


def _escaped(match: re.Match[str]) -> str:
    """Escape what is not printed: a terminal would act on it, a surrogate is no UTF-8.

    That is all in strings, as outside of them is nothing else than ASCII.
    """
    text = match[0]
    return text if text.isprintable() else json.dumps(text)[1:-1]


def schema(
    root: str, contract: ModuleType, *parts: ModuleType, kind: str, title: str
) -> dict[str, Any]:
    """Describe the JSON of the contract's class `root`, of the contract's `VERSION`.

    `parts` are modules that have the other classes.
    """
    classes = {name: one for module in parts for name, one in vars(module).items()}
    classes.update(vars(contract))
    # Of what is written, not read: no name may be missing.
    described = TypeAdapter(classes[root]).json_schema(mode="serialization")
    definitions = described.pop("$defs")
    for name, definition in definitions.items():
        _describe(classes[name], definition)
    _describe(classes[root], described)
    described.pop("title")
    version = contract.VERSION
    described["properties"]["version"] = {"const": version, "type": "integer"}
    return {
        "$schema": _DIALECT,
        "$id": f"urn:f2b-enrich:{kind}:{version}",
        "title": title,
        "version": version,
        **described,
        "$defs": definitions,
    }


def _describe(described: Any, definition: dict[str, Any]) -> None:  # noqa: ANN401 - a class
    """Add what pydantic leaves out, and take out its repetitions of names."""
    text = inspect.cleandoc(described.__doc__)
    definition["description"] = _LINE_END.sub(" ", text)
    # A figure always has all its names, also those with a default.
    definition["required"] = [one.name for one in dataclasses.fields(described)]
    definition["additionalProperties"] = False
    for field in definition["properties"].values():
        field.pop("title", None)


def text_of(schema: dict[str, Any]) -> str:
    """Write a schema as it stands in the documentation."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
