"""`report --format html`, as it is typed."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.cli import run
from tests.report_events import OCTOBER, ReportStore, banned

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def store(tmp_path: Path) -> ReportStore:
    made = ReportStore(tmp_path / "bans.db")
    made.add(list(banned(["198.18.0.1", "198.18.0.2"], OCTOBER)), [])
    return made


def _report(store: ReportStore, *more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            *(sys.executable, "-m", "f2b_enrich", "report", "--db", str(store.path)),
            *("--month", "2024-10", "--timezone", "UTC", "--format", "html", *more),
        ],
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_page_is_written_whole(store: ReportStore, tmp_path: Path) -> None:
    output = tmp_path / "october.html"
    done = _report(store, "-o", str(output))

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    html = output.read_text(encoding="utf-8")
    assert html.startswith("<!doctype html>")
    assert html.rstrip().endswith("</html>")
    assert output.stat().st_mode & 0o777 == 0o600


def test_a_page_goes_into_a_pipe(store: ReportStore) -> None:
    done = _report(store)

    assert done.returncode == 0
    assert "<title>Bans: October 2024</title>" in done.stdout


def test_other_forms_load_nothing_that_draws(store: ReportStore) -> None:
    code = (
        "import sys; from f2b_enrich.cli.main import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "assert not {'altair', 'vl_convert'} & sys.modules.keys()"
    )
    for form in ("text", "json"):
        done = subprocess.run(
            [
                *(sys.executable, "-c", code, "report", "--db", str(store.path)),
                *("--month", "2024-10", "--format", form),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert "198.18.0" in done.stdout


@pytest.mark.parametrize("form", ["text", "json", "csv", "html"])
def test_the_store_is_never_written_over(store: ReportStore, form: str) -> None:
    before = store.path.read_bytes()
    lock = store.path.with_name(f"{store.path.name}.daemon")
    words = ("report", "--db", store.path, "--format", form, "--month", "2024-10")
    for output in (store.path, lock):
        ran = run(*words, "--output", output)

        assert ran.code == 2
        assert "is the store" in ran.err
    assert store.path.read_bytes() == before
    assert not lock.exists()
