"""The kinds of values that a configuration is made of."""

from __future__ import annotations

import re
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Strict,
    StringConstraints,
)

from f2b_enrich.inert import printable

LONGEST_NAME = 255

_BLANK = re.compile(r"\s")


def host_name(text: str) -> str:
    """Give the name of a server as it goes into the store and every ban's id, for good.

    Raises:
        ValueError: it is empty or too long, or holds what nobody sees.
    """
    name = text.strip()
    if not name:
        raise ValueError("is empty, expected a name such as web1.example")
    if len(name) > LONGEST_NAME:
        raise ValueError(f"has {len(name)} characters, the limit is {LONGEST_NAME}")
    if _BLANK.search(name) or printable(name) != name:
        raise ValueError("holds a blank or a character that cannot be seen")
    return name


def _without_nul(path: Path) -> Path:
    if "\0" in str(path):
        raise ValueError("holds U+0000, which no path can")
    return path


Name = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_NAME),
]
HostName = Annotated[str, AfterValidator(host_name)]
# TOML tells true from 1.
Whole = Annotated[int, Strict()]
Number = Annotated[float, Strict()]
Aliases = dict[Name, Name]
Network = Annotated[
    IPv4Network | IPv6Network, BeforeValidator(lambda text: ip_network(str(text)))
]
FilePath = Annotated[Path, AfterValidator(_without_nul)]
PathOrNone = Annotated[
    FilePath | None,
    BeforeValidator(lambda text: None if text == "" else text),  # TOML has no null
]

TOGETHER = "together"
"""The type of a problem that another file may solve."""


class Section(BaseModel):
    """A table of the file: unknown keys are refused, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)
