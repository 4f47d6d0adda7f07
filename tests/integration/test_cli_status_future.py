"""What `status` tells when a clock was wrong."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tests.integration.cli_status.place import Place
from tests.stores import NOW, StoreBuilder, event, located

if TYPE_CHECKING:
    from pathlib import Path

YEAR = timedelta(days=365)


@pytest.fixture
def place(short_folder: Path) -> Place:
    return Place(short_folder)


def test_bans_of_the_future_are_told_apart(place: Place) -> None:
    StoreBuilder(place.db).record(
        event(at=NOW),
        event("192.0.2.8", at=NOW + YEAR),
        event("192.0.2.9", at=NOW + 5 * YEAR),
    )

    told = place.told()

    assert told["last ban"] == "2026-11-21 21:14:03 CET  sshd  192.0.2.7  (0 s ago)"
    assert told["bans"] == (
        "today 1 ban of 1 address; 30 days 1 ban of 1 address; 2 bans in the future"
    )


def test_a_second_that_was_rounded_up_is_no_future(place: Place) -> None:
    StoreBuilder(place.db).record(event(at=NOW + timedelta(milliseconds=700)))

    assert (
        place.told()["bans"] == "today 1 ban of 1 address; 30 days 1 ban of 1 address"
    )


def test_look_ups_of_the_future_are_none_of_today(place: Place) -> None:
    StoreBuilder(place.db).learn(
        located(at=NOW),
        located(at=NOW - YEAR),
        located(at=NOW + YEAR),
    )

    assert place.told()["look-ups"].endswith("\ntoday 1 look-up, 0 incomplete")
