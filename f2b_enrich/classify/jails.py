"""Which service a jail guards, and the class of attack it has when no line tells."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict

from f2b_enrich.attacks import known
from f2b_enrich.model import Service

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Jail:
    """A jail; `aliases` are other names for it, as older versions had them."""

    name: str
    service: Service
    attack: str
    aliases: tuple[str, ...] = ()


def shipped_jails() -> tuple[Jail, ...]:
    """Read the jails that fail2ban ships, and the filters people make jails of."""
    file = resources.files(__package__).joinpath("jails.toml")
    entries = _File.model_validate(tomllib.loads(file.read_text("utf-8"))).jail
    return tuple(
        Jail(
            name=name,
            service=entry.service,
            attack=entry.attack,
            aliases=entry.aliases,
        )
        for name, entry in entries.items()
    )


def by_name(jails: Iterable[Jail]) -> Mapping[str, Jail]:
    """Order jails by names and aliases, case-folded; the first of a name holds."""
    found: dict[str, Jail] = {}
    for jail in jails:
        for name in (jail.name, *jail.aliases):
            found.setdefault(name.casefold(), jail)
    return found


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    service: Service
    attack: Annotated[str, AfterValidator(known)]
    aliases: tuple[str, ...] = ()


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    jail: dict[str, _Entry]
