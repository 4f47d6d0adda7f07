"""The rules that say what a log line shows, read from a file and checked."""

from __future__ import annotations

import tomllib
from collections import Counter
from dataclasses import dataclass
from importlib import resources
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Self

import re2
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from f2b_enrich.attacks import known
from f2b_enrich.errors import F2bEnrichError
from f2b_enrich.inert import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

KINDS = frozenset(
    {"username", "sender", "recipient", "helo", "path", "user_agent", "port"}
)
"""What a rule can give; the names of groups in patterns, and of `observed.kind`."""

LONGEST_PATTERN = 2_000

_PATTERN_MEMORY = 1 << 20
"""Room for RE2's program and states of one rule; when it is full, RE2 is slower."""


class RuleError(F2bEnrichError):
    """All problems of a file of rules at once, each with file and rule."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A pattern in RE2's syntax: its named groups are kinds of values.

    `example` is a line that it matches, `shows` what must come of that line. A line
    that it matches is an attack of the class `attack`, by the hole `cve`, if given.
    Only lines that hold one of the texts `needs`, if there are any, are looked at.
    """

    name: str
    pattern: str
    example: str
    shows: Mapping[str, str]
    attack: str | None = None
    cve: str | None = None
    needs: tuple[str, ...] = ()


def options(memory: int = _PATTERN_MEMORY) -> re2.Options:
    """Give RE2's settings for a pattern: bounded, and silent on standard error.

    `memory` is the room, in bytes, for its program and states.
    """
    chosen = re2.Options()
    chosen.max_mem = memory
    chosen.log_errors = False
    return chosen


def load(text: str, *, origin: str) -> tuple[Rule, ...]:
    """Read rules from TOML; `origin` is the file's name for messages.

    Raises:
        RuleError: with all problems found.
    """
    raw = _toml(text, origin)
    try:
        entries = _File.model_validate(raw).rule
    except ValidationError as exc:
        raise RuleError(tuple(_problems(exc, origin, raw.get("rule")))) from exc
    names = Counter(entry.name for entry in entries)
    twice = [name for name, times in names.items() if times > 1]
    if twice:
        raise RuleError(tuple(taken(name, origin=origin) for name in twice))
    return tuple(
        Rule(
            name=entry.name,
            pattern=entry.pattern,
            example=entry.example,
            shows=MappingProxyType(dict(entry.shows)),
            attack=entry.attack,
            cve=entry.cve,
            needs=entry.needs,
        )
        for entry in entries
    )


def shipped() -> tuple[Rule, ...]:
    """Read the rules that come with the program."""
    file = resources.files(__package__).joinpath("rules.toml")
    return load(file.read_text("utf-8"), origin="rules.toml")


def taken(name: str, *, origin: str) -> str:
    """Say that another rule has the name."""
    return f"{origin}: rule {name!r}: the name is taken"


def _toml(text: str, origin: str) -> dict[str, object]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as exc:
        reason = str(exc)
    except ValueError:  # of Python's integers, which TOML does not bound
        reason = "a number has more digits than Python reads"
    except RecursionError:
        reason = "its tables or lists are too deep"
    raise RuleError((printable(f"{origin}: {reason}"),))


def _pattern(text: str) -> str:
    if len(text) > LONGEST_PATTERN:
        raise ValueError(
            f"it has {len(text)} characters, the limit is {LONGEST_PATTERN:,}"
        )
    try:
        compiled = re2.compile(text, options())
    except re2.error as exc:
        reason = exc.args[0]
        if isinstance(reason, bytes):  # RE2 quotes the pattern, cut anywhere
            reason = reason.decode("utf-8", "replace")
        raise ValueError(str(reason)) from exc
    kinds = compiled.groupindex
    if unknown := sorted(kinds.keys() - KINDS):
        raise ValueError(
            f"group {unknown[0]!r} is no kind of value: {', '.join(sorted(KINDS))}"
        )
    # RE2 takes a name twice and then gives the first group only.
    if compiled.groups != len(kinds):
        raise ValueError("a group has no name of its own; (?:...) needs none")
    return text


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(max_length=64, pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
    pattern: Annotated[str, AfterValidator(_pattern)]
    example: str
    shows: dict[str, str] = {}
    attack: Annotated[str, AfterValidator(known)] | None = None
    cve: Annotated[str, Field(pattern=r"^CVE-\d{4}-\d{4,9}$")] | None = None
    needs: tuple[Annotated[str, Field(min_length=1, max_length=64)], ...] = ()

    @model_validator(mode="after")
    def _gives_something(self) -> Self:
        groups = re2.compile(self.pattern, options()).groups
        if groups and not self.shows:
            raise ValueError("shows: it is missing")
        if not groups and self.attack is None:
            raise ValueError("attack: it is missing, and no group gives a value")
        if self.needs and not any(text in self.example for text in self.needs):
            raise ValueError("needs: the example has none of them")
        if self.cve is not None and self.attack is None:
            raise ValueError("attack: it is missing, and there is a cve")
        return self


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    rule: tuple[_Entry, ...] = ()


def _problems(error: ValidationError, origin: str, entries: object) -> Iterator[str]:
    for problem in error.errors(include_url=False):
        table, *place = problem["loc"]
        where = origin
        if place and isinstance(index := place[0], int):
            where += f": {_called(entries, index)}"
            del place[0]
        reason = _reason(problem["type"], problem["msg"])
        if place or where == origin:
            reason = f"{'.'.join(map(str, place)) or table}: {reason}"
        yield printable(f"{where}: {reason}")


def _called(entries: object, index: int) -> str:
    """Call a rule by its name, or by its number (from 1) when it has none."""
    entry = entries[index] if isinstance(entries, list) else None
    name = entry.get("name") if isinstance(entry, dict) else None
    return f"rule {name!r}" if isinstance(name, str) else f"rule number {index + 1}"


def _reason(kind: str, message: str) -> str:
    if kind == "extra_forbidden":
        return "no such key"
    if kind == "missing":
        return "it is missing"
    text = message.removeprefix("Value error, ")
    return f"{text[:1].lower()}{text[1:]}"
