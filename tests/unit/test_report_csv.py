"""A report as a folder of CSV files."""

from __future__ import annotations

import csv
import re
import stat
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from f2b_enrich.errors import ReportError
from f2b_enrich.report.as_csv import write
from f2b_enrich.report.csv_tables import TABLES
from f2b_enrich.report.figures import VERSION, Figures
from tests.report_sample import empty, hostile, sample, worst

if TYPE_CHECKING:
    from collections.abc import Callable

DOCUMENTED = Path(__file__).parents[2] / "docs/reference/report.md"
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def read(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, strict=True))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "october"


@pytest.mark.parametrize("report", [sample, empty, worst, hostile])
def test_every_report_has_the_same_files_with_the_same_columns(
    report: Callable[[], Figures], folder: Path
) -> None:
    paths = write(report(), folder)

    assert sorted(paths) == sorted(folder.iterdir())
    for path in paths:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.reader(file, strict=True))
        columns = TABLES[path.stem].columns
        assert {len(row) for row in rows} == {len(columns)}
        assert tuple(rows[0]) == columns


def test_only_the_owner_may_read_them(folder: Path) -> None:
    paths = write(sample(), folder)

    assert {stat.S_IMODE(path.stat().st_mode) for path in paths} == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_file_says_what_the_report_is_about(folder: Path) -> None:
    write(sample(), folder)

    told = {row["name"]: row["value"] for row in read(folder, "report")}
    assert told["version"] == str(VERSION)
    assert told["made_at"] == "2024-11-01T06:00:00Z"
    assert told["since"] == "2024-10-01T00:00:00Z"
    assert told["without_jail"] == "apache-overflows"


def test_a_percentage_stands_beside_its_base(folder: Path) -> None:
    write(sample(), folder)

    rows = read(folder, "countries")
    assert rows[0] == {
        "service": "all",
        "rank": "1",
        "key": "US",
        "name": "United States",
        "note": "",
        "addresses": "36",
        "percent": "38.71",
        "base": "93",
        "bans": "70",
    }
    for row in rows:
        part = 100 * int(row["addresses"]) / int(row["base"])
        assert float(row["percent"]) == pytest.approx(part, abs=0.005)


def test_a_gap_is_no_number_and_a_quiet_day_is_zero(folder: Path) -> None:
    write(sample(), folder)

    days = {row["day"]: (row["bans"], row["state"]) for row in read(folder, "days")}
    assert days["2024-10-12"] == ("", "gap")
    assert days["2024-10-20"] == ("0", "data")


def test_a_day_of_a_host_is_no_number_where_nothing_was_recorded(folder: Path) -> None:
    """Of no host in the gap of all of them, of one alone in its own."""
    write(sample(), folder)

    rows = read(folder, "hosts_days")
    days = {(row["host"], row["day"]): row["bans"] for row in rows}
    assert {days[host, "2024-10-12"] for host, _ in days} == {""}
    assert days["mail1.example.org", "2024-10-20"] == ""
    assert days["web1.example.org", "2024-10-20"] == "0"
    assert days["web1.example.org", "2024-10-05"] == "61"


def test_places_have_points_and_what_is_at_none_is_told(folder: Path) -> None:
    write(sample(), folder)

    rows = read(folder, "places")
    ashburn, germany = rows[0], rows[-1]
    assert (ashburn["city"], ashburn["longitude"]) == ("Ashburn", "-77.49")
    assert (germany["city"], germany["addresses"]) == ("", "27")
    (told,) = (row for row in read(folder, "not_listed") if row["table"] == "places")
    assert told["unknown_addresses"] == "4"


def test_what_no_table_lists_is_told(folder: Path) -> None:
    write(sample(), folder)

    rows = {(row["table"], row["service"]): row for row in read(folder, "not_listed")}
    networks = rows["networks", "all"]
    assert (networks["tied_rank"], networks["tied"], networks["tied_each"]) == (
        *("4", "82", "1"),
    )
    assert rows["countries", "all"]["unknown_addresses"] == "4"
    assert rows["countries_by_host", "all"]["other_bans"] == "11"


def test_no_cell_is_a_formula_or_more_than_a_line(folder: Path) -> None:
    for path in write(hostile(), folder):
        text = path.read_text(encoding="utf-8")
        assert all(line.isprintable() for line in text.split("\n"))
        for row in csv.reader(text.splitlines(), strict=True):
            for cell in row:
                number = re.fullmatch(r"-?\d+(\.\d+)?", cell)
                assert number or not cell.lstrip().startswith(FORMULA)


def test_hosts_are_counted_where_not_all_are_named(folder: Path) -> None:
    write(worst(), folder)

    offender = read(folder, "offenders")[0]
    assert offender["host_count"] == "5000"
    assert offender["hosts"].count(", ") == 19


def test_an_earlier_report_is_replaced(folder: Path) -> None:
    write(sample(), folder)
    (folder / ".report-broken").mkdir()

    write(empty(), folder)

    assert read(folder, "countries") == []
    assert read(folder, "totals")[0]["bans"] == "0"


def test_drafts_of_a_run_that_was_killed_are_removed(folder: Path) -> None:
    write(sample(), folder)
    (folder / ".report-killed").mkdir()
    (folder / ".report-killed" / "days.csv").write_text("day", encoding="utf-8")
    (folder / ".report-mine").mkdir()
    (folder / ".report-mine" / "letter.txt").write_text("mine", encoding="utf-8")
    (folder / ".report-link").symlink_to(folder / ".report-killed")

    write(empty(), folder)

    assert sorted(path.name for path in folder.glob(".*")) == [
        ".report-link",
        ".report-mine",
    ]


def test_two_runs_do_not_lose_each_other_s_drafts(folder: Path) -> None:
    write(sample(), folder)
    with ThreadPoolExecutor(4) as runs:
        list(runs.map(lambda _: write(sample(), folder), range(8)))

    assert len(list(folder.iterdir())) == len(TABLES)


def test_an_empty_folder_is_filled_and_keeps_its_mode(folder: Path) -> None:
    folder.mkdir(mode=0o750)

    write(sample(), folder)

    assert stat.S_IMODE(folder.stat().st_mode) == 0o750
    assert len(list(folder.iterdir())) == len(TABLES)


@pytest.mark.parametrize("name", ["mine.ods", "=1\x1b[31m.csv"])
def test_a_folder_with_anything_else_is_left_alone(folder: Path, name: str) -> None:
    write(sample(), folder)
    (folder / name).write_text("mine", encoding="utf-8")
    before = {path: path.read_bytes() for path in folder.iterdir()}

    with pytest.raises(ReportError, match="of no report") as caught:
        write(empty(), folder)

    assert str(caught.value).isprintable()
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


def test_files_that_are_only_called_alike_are_left_alone(folder: Path) -> None:
    folder.mkdir()
    (folder / "jails.csv").write_text("mine", encoding="utf-8")

    with pytest.raises(ReportError, match=r"jails\.csv"):
        write(sample(), folder)

    (folder / "report.csv").write_text("mine too", encoding="utf-8")
    with pytest.raises(ReportError, match="of no report"):
        write(sample(), folder)


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match="No such file"):
        write(sample(), tmp_path / "none" / "october")

    (tmp_path / "file").write_text("mine", encoding="utf-8")
    with pytest.raises(ReportError, match="Not a directory"):
        write(sample(), tmp_path / "file")


def test_an_earlier_report_stays_whole_when_a_new_one_cannot_be_made(
    folder: Path,
) -> None:
    write(sample(), folder)
    before = {path: path.read_bytes() for path in folder.iterdir()}
    broken = replace(sample(), jails=None)  # type: ignore[arg-type]

    with pytest.raises(AttributeError):
        write(broken, folder)

    assert {path: path.read_bytes() for path in folder.iterdir()} == before


def test_every_file_and_column_is_documented() -> None:
    text = DOCUMENTED.read_text(encoding="utf-8")

    for name, table in TABLES.items():
        [line] = [
            line for line in text.splitlines() if line.startswith(f"| `{name}.csv` |")
        ]
        assert re.findall(r"`(\w+)`", line.split("|")[2]) == list(table.columns)
