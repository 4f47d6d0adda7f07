"""Values of answers are of the right type or not known."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from f2b_enrich.enrich import fields
from f2b_enrich.errors import ConfigError


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("Berlin", "Berlin"),
        ("  Berlin \n", "Berlin"),
        ("", None),
        ("   ", None),
        (None, None),
        (5, None),
        (["Berlin"], None),
        ("a\0b", "a\u2400b"),
        ("a\ud800b", "a?b"),
        ("AS \x1b[31mred\x1b[0m\u202e", "AS \u241b[31mred\u241b[0m\ufffd"),
        ("two\nlines", "two\u240alines"),
        ("c1 \x9b2J", "c1 \ufffd2J"),
    ],
)
def test_text_is_text_that_says_something(value: object, expected: str | None) -> None:
    assert fields.text(value) == expected


@given(st.text(st.characters(), max_size=600))
def test_any_text_comes_out_bounded_and_storable(value: str) -> None:
    found = fields.text(value)

    assert found is None or len(found) <= fields.LONGEST_TEXT
    assert (found or "").isprintable()
    (found or "").encode("utf-8")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        *(("DE", "DE"), ("de", "DE"), (" nl ", "NL")),
        *(("DEU", None), ("", None), (49, None)),
        ("\u017f\u017f", None),  # in upper case SS
    ],
)
def test_a_country_code_has_two_letters(value: object, expected: str | None) -> None:
    assert fields.country_code(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("AS64496", 64496),
        ("64496", 64496),
        ("as1", 1),
        ("AS4294967295", 4294967295),
        ("AS4294967296", None),
        ("AS0", None),
        ("AS", None),
        ("AS12x", None),
        ("AS\u0661", None),
        ("a\u017f64496", None),
        ({"asn": "AS1"}, None),
        (None, None),
    ],
)
def test_an_as_number_fits_32_bits(value: object, expected: int | None) -> None:
    assert fields.as_number(value) == expected


@pytest.mark.parametrize(
    ("latitude", "longitude", "expected"),
    [
        ("52.5244", "13.4105", (52.5244, 13.4105)),
        (52.5, -13, (52.5, -13.0)),
        (" 52. ", "-13", (52.0, -13.0)),
        ("1_0", "1", None),
        ("\u0663", "1", None),
        ("1e1", "1", None),
        ("nan", "1", None),
        ("inf", "1", None),
        (90.1, 0, None),
        (0, -180.5, None),
        (True, False, None),
        ("north", "1", None),
        ("", "", None),
        (None, 1.0, None),
        (10**400, 1.0, None),
    ],
)
def test_a_position_is_on_the_globe(
    latitude: object, longitude: object, expected: tuple[float, float] | None
) -> None:
    assert fields.position(latitude, longitude) == expected


def test_a_point_without_a_city_is_the_countrys() -> None:
    assert fields.precision("Berlin", (52.5, 13.4)) == "city"
    assert fields.precision(None, (52.5, 13.4)) == "country"
    assert fields.precision("Berlin", None) is None


def test_what_is_no_json_is_not_kept() -> None:
    with pytest.raises(ValueError, match="JSON"):
        fields.as_received({"x": math.nan})
    with pytest.raises(TypeError):
        fields.as_received({"x": b"bytes"})
    assert json.dumps(fields.as_received({"x": [1, None]})) == '{"x": [1, null]}'


@pytest.mark.parametrize("token", ["", "two words", "line\nbreak", "t\u00f6ken"])
def test_a_token_that_is_no_header_is_refused_unseen(token: str) -> None:
    with pytest.raises(ConfigError) as caught:
        fields.header_text(SecretStr(token))

    assert not token or token not in str(caught.value)


def test_a_token_is_revealed_for_the_header() -> None:
    assert fields.header_text(SecretStr("tok-legacy")) == "tok-legacy"


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ((True,), True),
        ((False,), False),
        (("true",), True),
        (("",), False),
        (("False",), False),
        ((None,), None),
        ((1, "yes", [], {}), None),
        ((None, False), False),
        ((False, True), True),
        ((), None),
    ],
)
def test_a_flag_is_set_not_set_or_not_known(
    *, values: tuple[object, ...], expected: bool | None
) -> None:
    assert fields.flag(*values) is expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("abuse@hosting.example", "abuse@hosting.example"),
        (" abuse@a.example, noc@b.example", "abuse@a.example"),
        ("none; noc@b.example", "noc@b.example"),
        ("abuse", None),
        ("abuse@localhost", None),
        ("a@b.example>\r\nBcc:", None),
        (f"a@{'b' * 60}.{'c.' * 100}example", None),
        (None, None),
        (["abuse@hosting.example"], None),
    ],
)
def test_a_mail_address_is_a_plain_one(value: object, expected: str | None) -> None:
    assert fields.mail_address(value) == expected


@given(st.text(st.characters(), max_size=300))
def test_a_mail_address_out_of_any_text_fits_a_header(value: str) -> None:
    found = fields.mail_address(value + " abuse@hosting.example")

    assert found is not None
    assert found.isascii()
    assert found.isprintable()
    assert not set(found) & set(' <>,;:"\\')


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("Host.Hosting.Example.", "host.hosting.example"),
        ("x\x1b]0;title\x07.example", None),
        ("two words.example", None),
        ("b\u00fccher.example", None),
        ("\ud800.example", None),
        ("a..example", None),
        ("", None),
        (".", None),
        ("a." * 127 + "example", None),
        (None, None),
        (["host.example"], None),
    ],
)
def test_a_host_name_is_one_that_a_host_could_have(
    value: object, expected: str | None
) -> None:
    assert fields.host_name(value) == expected


@pytest.mark.parametrize("value", [None, [], "x", 5])
def test_what_is_no_object_is_an_empty_one(value: object) -> None:
    assert fields.mapping(value) == {}
    assert fields.mapping({"a": value}) == {"a": value}


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(st.characters()),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_no_value_at_all_breaks_a_reader(value: object) -> None:
    for read in (
        fields.text,
        fields.host_name,
        fields.country_code,
        fields.as_number,
        fields.flag,
        fields.mail_address,
        fields.mapping,
    ):
        read(value)
    fields.position(value, value)
