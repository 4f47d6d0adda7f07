"""What a mail says of a subnet with more addresses than are counted."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from f2b_enrich.mail import past
from f2b_enrich.model import Neighbours, Tally

_FULL = Neighbours(
    subnet="2001:db8::/64",
    days=30,
    addresses=500,
    bans=1200,
    most=(Tally(name="2001:db8::9", bans=9, first_at=datetime.now(UTC)),),
    at_least=True,
)


def test_least_numbers_are_called_so() -> None:
    assert " ".join(past._around(_FULL)) == (
        "2001:db8::/64, last 30 days: at least 500 other addresses, "
        "at least 1,200 bans (2001:db8::9 9, ...)"
    )


def test_one_that_was_found_is_not_all() -> None:
    one = replace(_FULL, addresses=1, bans=9)

    assert " ".join(past._around(one)).endswith(
        ": at least 1 other address, at least 9 bans (2001:db8::9 9, ...)"
    )


def test_none_that_was_found_is_not_none() -> None:
    none = replace(_FULL, addresses=0, bans=0, most=())

    assert " ".join(past._around(none)) == (
        "2001:db8::/64, last 30 days: too many to count"
    )
