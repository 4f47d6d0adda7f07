"""`report` where what draws the charts is not installed."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.report_events import OCTOBER, ReportStore, banned

if TYPE_CHECKING:
    from pathlib import Path

_WITHOUT = (
    "import sys\n"
    "sys.modules.update(dict.fromkeys(('altair', 'vl_convert')))\n"
    "from f2b_enrich.cli.main import main\n"
    "main()"
)
"""The program, in a Python that can import neither."""


@pytest.fixture
def store(tmp_path: Path) -> Path:
    made = ReportStore(tmp_path / "bans.db")
    made.add(list(banned(["198.18.0.1", "198.18.0.2"], OCTOBER)), [])
    return made.path


def _report(store: Path, *more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            *(sys.executable, "-c", _WITHOUT, "report", "--db", str(store)),
            *("--month", "2024-10", "--timezone", "UTC", *more),
        ],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("form", ["text", "json"])
def test_text_and_json_need_nothing_more(form: str, store: Path) -> None:
    done = _report(store, "--format", form)

    assert (done.returncode, done.stderr) == (0, "")
    assert "198.18.0" in done.stdout


def test_csv_needs_nothing_more(store: Path, tmp_path: Path) -> None:
    done = _report(store, "--format", "csv", "--output", str(tmp_path / "october"))

    written = len(list((tmp_path / "october").glob("*.csv")))
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.endswith(f"october: {written} files written\n")


def test_a_page_says_in_one_line_what_is_missing(store: Path, tmp_path: Path) -> None:
    output = tmp_path / "october.html"
    done = _report(store, "--format", "html", "--output", str(output))

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "f2b-enrich: --format html needs Altair and vl-convert: "
        "./install.sh --with report\n"
    )
    assert not output.exists()
