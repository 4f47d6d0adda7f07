"""Which networks are one organisation: by rules, else by their names."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from fnmatch import translate
from importlib import resources
from typing import TYPE_CHECKING, Annotated, NamedTuple, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    model_validator,
)

from f2b_enrich.config_types import Name, Whole
from f2b_enrich.errors import ConfigError
from f2b_enrich.report.legal_forms import without_legal_form
from f2b_enrich.toml_lists import read_list

if TYPE_CHECKING:
    from pathlib import Path

    from f2b_enrich.config_report import ReportSettings

_LONGEST_AS_NAME = 255
_LEAST_OF_PATTERN = 3
"""Letters and digits: a slip like `*` would make one organisation of all."""


class Organisation(NamedTuple):
    """What networks of one organisation have in common, and a name for it.

    A rule names all of its networks alike. Without one each has its own name, and that
    of the largest is the organisation's. Both are empty where nothing is known.
    """

    key: str
    name: str


def _pattern(text: str) -> str:
    if sum(char.isalnum() for char in text) < _LEAST_OF_PATTERN:
        raise ValueError(
            f"{text!r} is too short, the limit is {_LEAST_OF_PATTERN} letters and "
            "digits"
        )
    # Folded, as names are: matching case by case is slower.
    return translate(text.casefold())


class _Rule(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Name
    asns: tuple[Annotated[Whole, Field(gt=0, lt=1 << 32)], ...] = ()
    names: tuple[Annotated[Name, AfterValidator(_pattern)], ...] = ()

    @model_validator(mode="after")
    def _has_a_rule(self) -> Self:
        if not (self.asns or self.names):
            raise ValueError("no rule: asns or names are needed")
        return self


class _List(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    as_of: date | None = None
    organisation: tuple[_Rule, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rules:
    """The rules of one file; the number of a group of `patterns` is that of a name."""

    asns: dict[int, str]
    patterns: re.Pattern[str] | None
    names: tuple[str, ...]

    @classmethod
    def of(cls, given: _List) -> _Rules:
        asns: dict[int, str] = {}
        for rule in given.organisation:
            for asn in rule.asns:
                asns.setdefault(asn, rule.name)
        named = [
            (rule.name, text) for rule in given.organisation for text in rule.names
        ]
        # One expression, not one for each: a report asks about every network there is.
        every = "|".join(f"({text})" for _, text in named)
        return cls(
            asns=asns,
            patterns=re.compile(every) if every else None,
            names=tuple(name for name, _ in named),
        )

    def name_of(self, asn: int, as_name: str) -> str | None:
        """Give the name that a rule has for a network; AS numbers go first."""
        if asn in self.asns:
            return self.asns[asn]
        found = self.patterns.match(as_name.casefold()) if self.patterns else None
        return self.names[found.lastindex - 1] if found and found.lastindex else None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganisationRules:
    """The administrator's rules, and then the shipped ones, which are `as_of` a day."""

    as_of: date | None
    own_rules: int
    _lists: tuple[_Rules, ...]

    @classmethod
    def configured(cls, settings: ReportSettings) -> OrganisationRules:
        """Read the shipped list and the one that `report.organisations` names.

        Only at the default path there need not be one.

        Raises:
            ConfigError: with all problems found, each with its file and key.
        """
        own = settings.organisations
        default = type(settings).model_fields["organisations"].default
        try:
            return cls.load(own, optional=own == default)
        except ConfigError as exc:
            problems = (f"report.organisations: {problem}" for problem in exc.problems)
            raise ConfigError(tuple(problems)) from exc

    @classmethod
    def load(
        cls, own: Path | None = None, *, optional: bool = False
    ) -> OrganisationRules:
        """Read the shipped list and before it the administrator's own.

        Raises:
            ConfigError: with all problems found, each with its file and key.
        """
        shipped = read_list(
            resources.files(__package__).joinpath("organisations.toml"), _List
        )
        mine = _List()
        if own is not None:
            try:
                mine = read_list(own, _List)
            except FileNotFoundError as exc:
                if not optional:
                    raise ConfigError((f"{own}: {exc.strerror}",)) from exc
        return cls(
            as_of=shipped.as_of,
            own_rules=len(mine.organisation),
            _lists=(_Rules.of(mine), _Rules.of(shipped)),
        )

    def organisation(self, asn: int, as_name: str) -> Organisation:
        """Tell whose a network is; 0 and empty text are not known."""
        as_name = " ".join(as_name[:_LONGEST_AS_NAME].split())
        for rules in self._lists:
            name = rules.name_of(asn, as_name)
            if name is not None:
                return Organisation(f"rule {name.casefold()}", name)
        if as_name:
            return Organisation(f"name {_alike(as_name)}", as_name)
        number = f"AS{asn}" if asn else ""
        return Organisation(number, number)


def _alike(as_name: str) -> str:
    """Give what is equal in names that differ in case, punctuation or legal form."""
    folded = unicodedata.normalize("NFKC", as_name).casefold()
    return " ".join(without_legal_form(folded)) or folded
