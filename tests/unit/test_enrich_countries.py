"""The table of countries is whole, and its points stand where people look."""

from __future__ import annotations

import pytest

from f2b_enrich.enrich.countries import countries


def test_the_table_has_every_code_once_and_kosovo() -> None:
    table = countries()

    assert len(table) == 250
    assert "XK" in table
    assert all(code == row.code and len(code) == 2 for code, row in table.items())
    assert len({row.name for row in table.values()}) == 250


def test_every_point_is_on_the_globe() -> None:
    for row in countries().values():
        assert -90 <= row.latitude <= 90
        assert -180 <= row.longitude <= 180
        assert row.name.strip() == row.name != ""


@pytest.mark.parametrize(
    ("code", "south", "north", "west", "east"),
    [
        ("FR", 43, 50, -4, 8),  # not drawn to French Guiana
        ("NL", 51, 53.5, 3.5, 7),  # nor to the Caribbean
        ("NO", 58, 68, 5, 20),  # nor to Svalbard
        ("PT", 37, 42, -9.5, -6),  # nor to the Azores
        ("ES", 36, 43.7, -9, 3),
        ("GB", 50, 59, -7, 2),
        ("DK", 54.5, 57.8, 8, 13),
        ("US", 25, 49, -125, -67),  # nor to Alaska and Hawaii
        ("CL", -55, -18, -76, -66),
        ("EC", -5, 1.5, -81, -75),
        ("AU", -39, -11, 113, 154),
        ("CN", 20, 50, 75, 130),
        ("IN", 8, 33, 68, 90),
        ("BR", -30, 2, -70, -38),
        ("JP", 31, 42, 130, 142),
        ("GF", 2, 6, -55, -51),
        ("RE", -22, -20.5, 55, 56),
        ("GP", 15.9, 16.6, -62, -61),
        ("MQ", 14.3, 15, -61.3, -60.7),
        ("XK", 41.8, 43.3, 20, 21.9),
    ],
)
def test_a_centre_lies_in_the_main_part(
    code: str, south: float, north: float, west: float, east: float
) -> None:
    row = countries()[code]

    assert south < row.latitude < north
    assert west < row.longitude < east
