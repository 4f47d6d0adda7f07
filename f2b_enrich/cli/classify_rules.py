"""Rules that are still being written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from f2b_enrich.classify.matching import Matcher
from f2b_enrich.classify.rules import Rule, RuleError, load
from f2b_enrich.classify.rules_folder import MOST_BYTES
from f2b_enrich.cli.classify_input import InputError, errors_of
from f2b_enrich.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path


def read_rules(file: Path) -> tuple[Rule, ...]:
    """Read a file of rules.

    Raises:
        InputError: it cannot be read.
        ConfigError: with all problems of its rules.
    """
    with errors_of(str(file)):
        with file.open("rb") as stream:
            raw = stream.read(MOST_BYTES + 1)
        if len(raw) > MOST_BYTES:
            raise InputError(f"{file}: it has more than {MOST_BYTES >> 20} MiB")
        text = raw.decode("utf-8")
    try:
        return load(text, origin=str(file))
    except RuleError as exc:
        raise ConfigError(exc.problems) from exc


def wrong_examples(rules: Sequence[Rule], *, origin: str) -> Iterator[str]:
    """Tell which rules do not do with their own example what they say."""
    for rule in rules:
        (line,) = Matcher((rule,)).match((rule.example,))
        where = f"{origin}: rule {rule.name!r}"
        if not line.rules:
            yield f"{where}: its pattern does not match its example"
        elif not rule.shows.items() <= dict(line.values).items():
            yield f"{where}: its example shows {_pairs(line.values)}"


def _pairs(values: Sequence[tuple[str, str]]) -> str:
    return ", ".join(f"{kind} = {value!r}" for kind, value in values) or "nothing"
