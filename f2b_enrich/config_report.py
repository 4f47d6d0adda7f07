"""What a report says besides what it is asked for: zone, lengths, notes, names."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

from pydantic import Field, field_validator

from f2b_enrich.config_types import FilePath, Name, Section, Whole
from f2b_enrich.model import Service

MOST_LISTED = 1000
"""Rows of each table that a report may be asked for."""


class ReportSettings(Section):
    """What `f2b-enrich report` tells, and in which words."""

    timezone: str = Field(
        "",
        description="the zone of its days, hours and months, such as "
        '"Europe/Berlin"; empty ("") for the machine\'s',
    )
    top: Whole = Field(
        10,
        ge=1,
        le=MOST_LISTED,
        description="rows of each table; what is tied with the last is listed, too",
    )
    notes: dict[Service, Name] = Field(
        default_factory=dict,
        description='"service" = "what is said beside its tables"; '
        f"the services are {', '.join(get_args(Service))}",
    )
    recipient: Name | None = Field(
        None,
        description="who gets `report --mail`; default `mail.recipient`",
    )
    organisations: FilePath = Field(
        Path("/etc/f2b-enrich/organisations.toml"),
        description="a list of your own of networks that are one organisation, in "
        "the form of the shipped one and read before it",
    )

    @field_validator("timezone")
    @classmethod
    def _is_a_zone(cls, value: str) -> str:
        if not value:
            return value
        # Only here: nobody else who reads the configuration needs zones.
        from zoneinfo import ZoneInfo  # noqa: PLC0415

        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError):  # what is not found is a KeyError
            raise ValueError(
                f"no time zone is called {value!r}, expected a name such as "
                "Europe/Berlin or UTC"
            ) from None
        return value
