"""The example page of the documentation is the one that the program writes."""

from __future__ import annotations

import re
from pathlib import Path

from tests.report_pages import example

PAGE = Path(__file__).parents[2] / "docs/examples/report.html"


def test_the_example_is_the_page_that_is_written_now() -> None:
    """Pictures and scripts are other with another Vega; words and style are not."""
    shown, written = PAGE.read_text(encoding="utf-8"), example()

    assert _told(shown) == _told(written), "run: python -m tests.report_pages"


def _told(html: str) -> str:
    # Its head says by a hash which script may run.
    rest = html[html.index("<title>") :]
    rest = re.sub(r"<svg.*?</svg>|<script>.*?</script>", "", rest, flags=re.DOTALL)
    return re.sub(r"made \d{4}-\d\d-\d\d \d\d:\d\d", "", rest)
