"""The page for those who write templates names all that there is."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from f2b_enrich.mail.digest_findings import Finding
from f2b_enrich.mail.digest_lists import JailList, NetworkList
from f2b_enrich.mail.digest_tables import ServiceRow, SourceRow
from f2b_enrich.mail.digest_view import DigestView
from f2b_enrich.mail.excerpt import Log, ShownLine
from f2b_enrich.mail.flood_view import FloodView
from f2b_enrich.mail.sample import check_templates
from f2b_enrich.mail.sandbox import MOST_STEPS
from f2b_enrich.mail.view import Command, View

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "templates.md"


@pytest.mark.parametrize(
    ("title", "view"),
    [
        ("What they can show", View),
        ("What a digest can show", DigestView),
        ("What the mails about a flood can show", FloodView),
    ],
)
def test_every_name_is_explained(title: str, view: type[DataclassInstance]) -> None:
    section = PAGE.read_text().partition(f"## {title}\n")[2].partition("\n## ")[0]
    cells = re.findall(r"^\| (`.*?) \|", section, re.MULTILINE)
    named = {name for cell in cells for name in re.findall(r"`(\w+)`", cell)}

    assert named == {field.name for field in fields(view)}


def test_every_part_of_a_digests_values_is_explained() -> None:
    page = PAGE.read_text()

    for kind in (Finding, ServiceRow, SourceRow, JailList, NetworkList):
        assert all(f"`{field.name}`" in page for field in fields(kind)), kind


def test_what_people_have_written_keeps_its_names() -> None:
    """A name in templates is never taken away: theirs would not be used any more."""
    before = """
        subject ip host jail by_hand failures nth is_lock_out warning whose names
        has_accounts within times place precision network traits hostname confirmed
        scanner records history log command page sources from_ipinfo short_id version
    """

    assert set(before.split()) <= {field.name for field in fields(View)}


def test_every_part_of_a_value_is_explained() -> None:
    page = PAGE.read_text()

    for field in (*fields(Log), *fields(Command)):
        prefix = "command" if field.name in {"jail", "ip"} else "log"
        assert f"`{prefix}.{field.name}`" in page
    assert all(f"`{field.name}`" in page for field in fields(ShownLine))
    assert f"{MOST_STEPS:,} times" in page


def test_the_example_renders(tmp_path: Path) -> None:
    found = re.search(r"^echo '(.*)' \\$", PAGE.read_text(), re.MULTILINE)
    assert found is not None
    (tmp_path / "alert.txt.jinja").write_text(found[1])

    assert check_templates(tmp_path) == ()
