"""What values a log line shows: the groups of the rules that match it."""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING

import re2

from f2b_enrich.classify.access_log import requested
from f2b_enrich.classify.rules import options

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from f2b_enrich.classify.rules import Rule

LONGEST_VALUE = 256
"""How many characters of a value are kept."""

NAMES = frozenset({"username", "sender", "recipient"})
"""The kinds of which an address is no value: programs put one where no name is."""

_LIKE_AN_ADDRESS = re.compile(r"[0-9A-Fa-f]*[.:][0-9A-Fa-f.:]*(?:%|\Z)")
"""What `ipaddress` need not be asked about: refusing a text takes it 2 us."""


class Values:
    """The patterns of the rules that give values, ready to read them."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        """Compile the patterns, which takes some milliseconds."""
        quiet = options()
        self._patterns: dict[int, tuple[re2._Regexp, tuple[str, ...]]] = {}
        for index, rule in enumerate(rules):
            pattern = re2.compile(rule.pattern.encode(), quiet)
            if pattern.groups:
                # All groups have names, which RE2 gives in order of the alphabet.
                names = sorted(pattern.groupindex.items(), key=lambda item: item[1])
                kinds = tuple(name.decode() for name, _ in names)
                self._patterns[index] = (pattern, kinds)

    def read(self, line: bytes, rules: Iterable[int]) -> tuple[tuple[str, str], ...]:
        """Give kind and value of what these rules, by their places, show in a line.

        A line gives at most one value of each kind: that of the first rule. Lines of
        access logs need no rule.
        """
        found: dict[str, str] = {}
        for index in rules:
            if (given := self._patterns.get(index)) is not None:
                _add(found, line, *given)
        if "path" not in found and (request := requested(line)):
            for kind, raw in zip(("path", "user_agent"), request, strict=True):
                if kind not in found and (value := _value(kind, raw)):
                    found[kind] = value
        return tuple(found.items())


def _add(
    found: dict[str, str],
    line: bytes,
    pattern: re2._Regexp,
    kinds: tuple[str, ...],
) -> None:
    if found and all(kind in found for kind in kinds):
        return
    match = pattern.search(line)
    if match is None:
        return
    for group, kind in enumerate(kinds, start=1):
        raw = match[group]
        if raw and kind not in found and (value := _value(kind, raw)):
            found[kind] = value


def _value(kind: str, found: bytes) -> str:
    # The line may have been cut within a character.
    text = found.decode("utf-8", "ignore")
    if len(text) > LONGEST_VALUE:
        # What was asked for matters more than the beginning of a long query.
        text = text.partition("?")[0] if kind == "path" else text
        text = text[:LONGEST_VALUE]
    return "" if kind in NAMES and is_address(text) else text


def is_address(text: str) -> bool:
    """Tell whether a text is an IP address."""
    if not _LIKE_AN_ADDRESS.match(text):
        return False
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
