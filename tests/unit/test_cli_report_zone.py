from __future__ import annotations

import io
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import TZPATH, ZoneInfo

import pytest

from f2b_enrich.cli import report_zone
from f2b_enrich.cli.report_zone import local_zone, zone_called


def test_a_zone_has_its_name() -> None:
    assert zone_called("Europe/Berlin").key == "Europe/Berlin"


@pytest.mark.parametrize("name", ["Europe/Atlantis", "../../etc/passwd", "", "\x1b[2J"])
def test_there_is_no_other_zone(name: str) -> None:
    with pytest.raises(ValueError, match="no time zone is called") as told:
        zone_called(name)

    assert str(told.value).isprintable()


def test_the_machine_s_zone_is_that_of_its_link(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TZ", raising=False)
    file = next(
        path
        for path in (Path(folder, "Asia/Kathmandu") for folder in TZPATH)
        if path.exists()
    )
    link, copy = tmp_path / "localtime", tmp_path / "copy"
    link.symlink_to(file)
    copy.write_bytes(file.read_bytes())

    there = datetime(2026, 7, 1, tzinfo=local_zone(copy)).utcoffset()

    assert local_zone(link).utcoffset(datetime(2026, 7, 1)) == there  # noqa: DTZ001
    assert local_zone(copy).key == "<+0545>-5:45"
    assert local_zone(tmp_path / "none").key == "UTC"


def test_a_file_without_name_or_rule_is_called_by_its_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", f":{tmp_path / 'zone'}")
    (tmp_path / "zone").write_bytes(report_zone._UTC)

    assert local_zone().key == str(tmp_path / "zone")


def test_tz_goes_before_the_link(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", ":America/New_York")

    assert local_zone(tmp_path / "none").key == "America/New_York"


def test_utc_is_known_where_no_zone_is() -> None:
    zone = ZoneInfo.from_file(io.BytesIO(report_zone._UTC), key="UTC")

    when = datetime(2026, 7, 1, tzinfo=zone)
    assert (when.tzname(), when.astimezone(UTC)) == ("UTC", when)
