"""A report as JSON, against its schema."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
from pydantic import TypeAdapter

from f2b_enrich.report import as_json
from f2b_enrich.report.figures import Figures, Finding
from tests.report_sample import HOSTILE, empty, hostile, sample, worst

if TYPE_CHECKING:
    from collections.abc import Callable

DOCUMENTED = Path(__file__).parents[2] / "docs/reference/report.schema.json"
REPORTS = (sample, empty, worst, hostile)


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft202012Validator:
    schema = json.loads(DOCUMENTED.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(
        schema, format_checker=jsonschema.FormatChecker()
    )


@pytest.mark.parametrize("report", REPORTS)
def test_a_report_follows_the_documented_schema(
    report: Callable[[], Figures], validator: jsonschema.Draft202012Validator
) -> None:
    validator.validate(json.loads(as_json.dump(report())))


@pytest.mark.parametrize("report", REPORTS)
def test_a_report_can_be_read_back_whole(report: Callable[[], Figures]) -> None:
    figures = report()

    assert TypeAdapter(Figures).validate_json(as_json.dump(figures)) == figures


def test_the_schema_in_the_documentation_is_not_stale() -> None:
    assert as_json.schema_text() == DOCUMENTED.read_text(encoding="utf-8"), (
        "python -m f2b_enrich.report.as_json docs/reference"
    )


def test_the_schema_is_written_by_a_command(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "f2b_enrich.report.as_json", tmp_path], check=True
    )

    assert (tmp_path / as_json.FILE).read_text("utf-8") == as_json.schema_text()


def test_every_part_is_described() -> None:
    schema = as_json.schema()
    parts = [schema, *schema["$defs"].values()]

    assert all(part["description"] for part in parts)
    assert all(part["required"] == list(part["properties"]) for part in parts)


def test_the_version_comes_first_and_names_keep_their_order() -> None:
    dumped = json.loads(as_json.dump(sample()))

    assert list(dumped) == [field.name for field in fields(Figures)]
    assert next(iter(dumped)) == "version"


@pytest.mark.parametrize(
    ("path", "value"),
    [(("version",), 2), (("top",), "10"), (("totals", "measure", "bans"), None)],
)
def test_the_schema_refuses_another_meaning(
    path: tuple[str, ...],
    value: object,
    validator: jsonschema.Draft202012Validator,
) -> None:
    dumped: dict[str, Any] = json.loads(as_json.dump(sample()))
    place = dumped
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value

    assert not validator.is_valid(dumped)


def test_letters_are_readable_and_nothing_reaches_a_terminal() -> None:
    dumped = as_json.dump(hostile())

    assert all(line.isprintable() for line in dumped.splitlines())
    assert HOSTILE in {jail["jail"] for jail in json.loads(dumped)["jails"]["jails"]}
    assert "T\u00fcrkiye" in as_json.dump(sample())


def test_half_a_character_is_escaped_not_refused() -> None:
    finding = Finding(kind="gap", text="\ud800", numbers={})
    figures = replace(sample(), findings=(finding,))

    dumped = as_json.dump(figures)

    assert "\\ud800" in dumped
    assert dumped.encode()
