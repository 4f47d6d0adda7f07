"""A walk through user names in words."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC
from typing import Any

import pytest

from f2b_enrich.mail.campaigns import pieces
from tests.alerts import KNOWN, an_alert
from tests.reading import part, words

[WALK] = KNOWN.campaigns


def said(**changes: Any) -> str:
    return " ".join(pieces(replace(WALK, **changes), UTC))


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (
            {},
            "192.0.2.0/24 walks through user names in the order of the alphabet: "
            "43 names (aaron to zoe) in 12 bans of 5 addresses "
            "since 2026-11-02, last 2026-11-21",
        ),
        (
            {"scope": "network", "who": "AS64500", "in_order": False, "names": 1200},
            "AS64500 walks through user names: 1,200 names in 12 bans of 5 addresses "
            "since 2026-11-02, last 2026-11-21",
        ),
        (
            {"scope": "address", "who": "192.0.2.7", "addresses": 1, "in_order": False},
            "192.0.2.7 walks through user names: 43 names in 12 bans "
            "since 2026-11-02, last 2026-11-21",
        ),
        (
            {"addresses": 1, "bans": 1, "last_at": WALK.first_at, "in_order": False},
            "192.0.2.0/24 walks through user names: 43 names in 1 ban of 1 address "
            "on 2026-11-02",
        ),
    ],
)
def test_a_walk_is_one_sentence(changes: dict[str, Any], told: str) -> None:
    assert said(**changes) == told


def test_names_may_be_passwords_and_markup() -> None:
    walk = replace(
        WALK, first_name="<b>http://anna:pw@b.example/", last_name="a to z, " * 20
    )
    alert = replace(KNOWN, campaigns=(walk,))

    for shown in (part(alert, "plain"), words(alert)):
        text = " ".join(shown.split())
        assert '("<b>hxxp://anna:***@b[.]example/" to "a to z, a to z' in text
        assert "pw@" not in text
        assert "43 names" in text


def test_a_walk_needs_a_history() -> None:
    assert "HISTORY" not in part(an_alert(campaigns=(WALK,)), "plain")
