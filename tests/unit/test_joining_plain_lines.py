"""Lines that tell of their bans beyond doubt: the short way is the long one's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from f2b_enrich.joining.joining import join
from f2b_enrich.joining.plain_lines import plain_bans
from f2b_enrich.joining.sightings import Sighting
from f2b_enrich.store.sighted import is_told_by_row

if TYPE_CHECKING:
    from f2b_enrich.joining.plain_lines import PlainLine

BEGIN = 1_400_000_000
LINES = st.lists(
    st.tuples(
        st.integers(0, 200).map(BEGIN.__add__),
        st.sampled_from(["ban", "unban"]),
        st.sampled_from(["ssh", "dovecot"]),
        st.just("fail2ban.log"),
    ),
    min_size=1,
    max_size=12,
)


def line(at: int, kind: str) -> PlainLine:
    return (BEGIN + at, kind, "ssh", "fail2ban.log")  # type: ignore[return-value]


@given(LINES)
@example([line(0, "ban"), line(1, "ban")])
@example([line(0, "ban"), line(2, "ban"), line(3, "unban")])
@example([line(0, "ban"), line(3, "unban"), line(3, "ban")])
@example([line(0, "ban"), line(0, "unban")])
def test_what_is_told_is_what_the_general_way_tells(lines: list[PlainLine]) -> None:
    bans = plain_bans(lines)
    if bans is None:
        return

    decided = join(
        Sighting(kind, "logged", "log", at, jail) for at, kind, jail, _ in lines
    )

    assert not decided.loose
    assert all(map(is_told_by_row, decided.bans))
    assert sorted(map(tuple, bans), key=repr) == sorted(
        ((ban.jail, ban.at, ban.unbanned_at) for ban in decided.bans), key=repr
    )
    assert {(ban.precision, ban.ends_at) for ban in decided.bans} == {("logged", None)}


def test_bans_that_end_and_others_that_do_not_are_told() -> None:
    lines = [line(0, "ban"), line(600, "unban"), line(900, "ban"), line(9000, "ban")]

    assert plain_bans(reversed(lines)) == [
        ("ssh", BEGIN, BEGIN + 600),
        ("ssh", BEGIN + 900, None),
        ("ssh", BEGIN + 9000, None),
    ]


@pytest.mark.parametrize(
    "lines",
    [
        [line(0, "unban")],
        [line(0, "ban"), line(0, "ban")],
        [line(0, "ban"), line(1, "ban")],
        [line(0, "ban"), line(0, "unban")],
        [line(0, "ban"), line(5, "unban"), line(9, "unban")],
        [line(0, "ban"), line(9, "unban"), line(9, "ban")],
    ],
)
def test_what_is_in_doubt_is_left_to_the_general_way(lines: list[PlainLine]) -> None:
    assert plain_bans(lines) is None
