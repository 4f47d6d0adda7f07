"""A report as JSON, and the schema of it that programs outside rely on.

`python -m f2b_enrich.report.as_json docs/reference` writes the schema anew.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from f2b_enrich.report import (
    figures,
    figures_addresses,
    figures_attacks,
    figures_places,
    figures_rankings,
    figures_sources,
    figures_times,
    json_schema,
)

if TYPE_CHECKING:
    from f2b_enrich.report.figures import Figures

FILE = "report.schema.json"

_PARTS = (
    *(figures_addresses, figures_attacks, figures_places),
    *(figures_rankings, figures_sources, figures_times),
)


def dump(report: Figures) -> str:
    """Write a report as UTF-8 JSON; names stand in the order of the schema."""
    return json_schema.dump(report)


def schema() -> dict[str, Any]:
    """Describe that JSON, in the words of the figures' own descriptions."""
    return json_schema.schema(
        "Figures", figures, *_PARTS, kind="report", title="Report of f2b-enrich"
    )


def schema_text() -> str:
    """Write the schema as it stands in the documentation."""
    return json_schema.text_of(schema())


if __name__ == "__main__":
    (Path(sys.argv[1]) / FILE).write_text(schema_text(), encoding="utf-8")
