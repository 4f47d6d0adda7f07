"""Time zones by their names, and which are the same."""

from __future__ import annotations

import shutil
from pathlib import Path
from zoneinfo import TZPATH

import pytest

from f2b_enrich.intake.zones import is_same_zone, zone_name


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("Europe/Berlin", "Europe/Berlin", True),
        ("UTC", "Etc/UTC", True),
        ("Europe/Berlin", "Europe/Vienna", True),
        ("Europe/Berlin", "UTC", False),
        ("Europe/Berlin", "Africa/Algiers", False),
        ("Europe/Moscow", "Asia/Riyadh", False),
        ("CET-1CEST,M3.5.0,M10.5.0/3", "Europe/Berlin", False),
        ("CET-1CEST,M3.5.0,M10.5.0/3", "CET-1CEST,M3.5.0,M10.5.0/3", True),
    ],
)
def test_zones_are_the_same_where_clocks_show_the_same(
    one: str, other: str, *, is_same: bool
) -> None:
    assert is_same_zone(one, other) == is_same
    assert is_same_zone(other, one) == is_same


def test_a_zone_is_named_as_it_is_given_or_set(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TZ", ":America/New_York")
    assert zone_name("Europe/Berlin") == "Europe/Berlin"
    assert zone_name(None) == "America/New_York"

    berlin = Path(TZPATH[0], "Europe", "Berlin")
    if not berlin.is_file():
        berlin = next(Path(path, "Europe", "Berlin") for path in TZPATH if path)
    (tmp_path / "linked").symlink_to(berlin)
    shutil.copy(berlin, tmp_path / "copied")
    monkeypatch.setenv("TZ", str(tmp_path / "linked"))
    assert zone_name(None) == str(berlin.resolve()).rpartition("/zoneinfo/")[2]
    monkeypatch.setenv("TZ", str(tmp_path / "copied"))
    assert zone_name(None) == "CET-1CEST,M3.5.0,M10.5.0/3"
    monkeypatch.setenv("TZ", str(tmp_path / "gone"))
    assert zone_name(None) == "UTC"
