from __future__ import annotations

import pytest
from pydantic import ValidationError

from f2b_enrich.cli.config_text import sample
from f2b_enrich.config import Settings


def test_nothing_has_to_be_set() -> None:
    report = Settings().report

    assert (report.top, report.timezone, report.notes) == (10, "", {})


def test_notes_zone_and_length_can_be_set() -> None:
    report = Settings.model_validate(
        {
            "report": {
                "notes": {"ssh": "listens on port 2222 elsewhere"},
                "timezone": "Europe/Berlin",
                "top": 1000,
            }
        }
    ).report

    assert report.notes["ssh"] == "listens on port 2222 elsewhere"
    assert (report.timezone, report.top) == ("Europe/Berlin", 1000)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"notes": {"sshd": "x"}}, "notes"),
        ({"notes": {"ssh": " "}}, "notes.ssh"),
        ({"timezone": "Europe/Atlantis"}, "no time zone is called 'Europe/Atlantis'"),
        ({"timezone": "../etc/passwd"}, "no time zone is called"),
        ({"top": 0}, "greater than or equal to 1"),
        ({"top": 1001}, "less than or equal to 1000"),
    ],
)
def test_a_bad_value_is_refused(values: dict[str, object], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        Settings.model_validate({"report": values})


def test_the_sample_shows_each_key() -> None:
    text = sample()

    assert "[report]\n" in text
    assert '#organisations = "/etc/f2b-enrich/organisations.toml"' in text
    assert '#ssh = "listens on port 2222 elsewhere"' in text
