"""Names and centres of countries, one table for all sources."""

from __future__ import annotations

import csv
import functools
from dataclasses import dataclass
from importlib import resources
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

CENTRE_SOURCE = "Natural Earth"
"""Who says where a country's centre is."""


@dataclass(frozen=True, slots=True)
class Country:
    """A country and the point that stands for it on a map."""

    code: str
    name: str
    latitude: float
    longitude: float


@functools.cache
def countries() -> Mapping[str, Country]:
    """Read the table by ISO 3166-1 code, XK among them."""
    table = resources.files(__package__).joinpath("countries.csv")
    with table.open(encoding="utf-8") as file:
        rows = [
            Country(
                row["code"],
                row["name"],
                float(row["latitude"]),
                float(row["longitude"]),
            )
            for row in csv.DictReader(file)
        ]
    return MappingProxyType({row.code: row for row in rows})
