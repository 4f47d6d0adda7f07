"""Tests of names that may be published."""

from __future__ import annotations

import pytest

from f2b_enrich.report import publishable


@pytest.mark.parametrize(
    "text",
    [
        *(
            "St. Louis",
            "Biel/Bienne",
            "6 de Octubre",
            "Frankfurt (Oder)",
            "'s-Gravenhage",
        ),
        *("Zürich", "北京", "Washington, D.C.", ""),
    ],
)
def test_a_place_keeps_its_name(text: str) -> None:
    assert publishable.name(text) == text


@pytest.mark.parametrize(
    "text",
    [
        *("192.0.2.7", "at 192.0.2.7 x", "2001:db8::7", "anna@site.example"),
        *("192.0.2", "cust192-0-2-7.site.example", "\uff11\uff19\uff12.0.2.7"),
        *("https://site.example/x", "x" * 101),
    ],
)
def test_what_looks_like_an_address_is_no_name(text: str) -> None:
    assert not publishable.name(text)


def test_a_name_moves_no_cursor() -> None:
    assert publishable.name("Ber\x1b[31mlin") == "Ber\u241b[31mlin"


def test_a_country_is_two_letters() -> None:
    codes = ("NL", "nl", "N", "NLD", "=1", "")

    assert [publishable.country_code(code) for code in codes] == ["NL", *[""] * 5]
