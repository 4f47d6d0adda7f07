"""Rows for people and for programs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from f2b_enrich.cli.tables import beside, json_lines, json_text


def test_parts_stand_side_by_side_until_the_screen_ends() -> None:
    parts = ("192.0.2.7", "", "Amsterdam", "a\nb")

    assert beside(parts, width=None) == "192.0.2.7  Amsterdam  a\u240ab"
    assert beside(parts, width=21) == "192.0.2.7  Amsterdam\n  a\u240ab"


@given(st.lists(st.tuples(st.text(), st.none() | st.integers())))
def test_json_is_one_array_of_plain_ascii(rows: list[tuple[str, int | None]]) -> None:
    lines = list(json_lines(("a", "b"), rows))

    assert json.loads("\n".join(lines)) == [{"a": a, "b": b} for a, b in rows]
    assert all(line.isascii() and line.isprintable() for line in lines)


def test_values_of_the_program_have_a_json_form() -> None:
    @dataclass(frozen=True, slots=True)
    class Inner:
        when: datetime
        where: Path

    value = Inner(datetime(2026, 11, 21, tzinfo=UTC), Path("/run"))

    assert json.loads(json_text(value)) == {
        "when": "2026-11-21T00:00:00Z",
        "where": "/run",
    }
    with pytest.raises(TypeError, match="mappingproxy"):
        json_text(MappingProxyType({}))
