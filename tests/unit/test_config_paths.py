"""Paths in the configuration that no file can have."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from f2b_enrich.config import Settings

_PROBLEM = "holds U+0000, which no path can"


def paths(section: type[BaseModel], prefix: tuple[str, ...] = ()) -> list[Any]:
    """Name every key that takes a path."""
    found: list[Any] = []
    for name, field in section.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            found += paths(kind, (*prefix, name))
        elif kind is Path or "Path" in str(kind):
            found.append((*prefix, name))
    return found


@pytest.mark.parametrize("key", paths(Settings), ids=".".join)
def test_a_path_with_a_nul_is_refused_wherever_it_stands(key: tuple[str, ...]) -> None:
    values: Any = "/tmp/a\0b"  # noqa: S108 - nothing is opened
    for name in reversed(key):
        values = {name: values}

    with pytest.raises(ValidationError) as caught:
        Settings.model_validate(values)

    [problem] = caught.value.errors()
    assert problem["loc"] == key
    assert _PROBLEM in problem["msg"]


def test_every_path_was_found() -> None:
    assert len(paths(Settings)) >= 11
