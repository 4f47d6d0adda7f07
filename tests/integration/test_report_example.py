"""The example page of the documentation is the one that the program writes."""

from __future__ import annotations

import re
from pathlib import Path

from tests.report_pages import example

PAGE = Path(__file__).parents[2] / "docs/examples/report.html"


def test_the_example_has_the_words_that_are_written_now() -> None:
    """Pictures and scripts are other with another Vega; words and tables are not."""
    shown, written = PAGE.read_text(encoding="utf-8"), example()

    assert _told(shown) == _told(written), "run: python -m tests.report_pages"


def _told(html: str) -> str:
    body = html[html.index("<body>") :]
    body = re.sub(r"<svg.*?</svg>|<script.*?</script>", "", body, flags=re.DOTALL)
    return re.sub(r"made \d{4}-\d\d-\d\d \d\d:\d\d", "", body)
