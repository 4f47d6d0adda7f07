"""A summary as JSON, and its schema.

`python -m f2b_enrich.report.summary_json docs/reference` writes the schema anew.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from f2b_enrich.report import json_schema
from f2b_enrich.report import summary as contract

if TYPE_CHECKING:
    from f2b_enrich.report.summary import Summary

FILE = "summary.schema.json"


def dump(summary: Summary) -> str:
    """Write a summary as UTF-8 JSON; names stand in the order of the schema."""
    return json_schema.dump(summary)


def schema() -> dict[str, Any]:
    """Describe that JSON, in the words of the summary's own descriptions."""
    return json_schema.schema(
        "Summary", contract, kind="summary", title="Summary of f2b-enrich"
    )


def schema_text() -> str:
    """Write the schema as it stands in the documentation."""
    return json_schema.text_of(schema())


if __name__ == "__main__":
    (Path(sys.argv[1]) / FILE).write_text(schema_text(), encoding="utf-8")
