"""What fail2ban's own configuration tells it never to ban."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from f2b_enrich import inert
from f2b_enrich.enrich.jail_files import INCLUDES, JailFiles, UnresolvedError, resolved
from f2b_enrich.enrich.scanners import network_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from ipaddress import IPv4Network, IPv6Network
    from pathlib import Path

    from f2b_enrich.enrich.jail_files import JailFile

DEFAULT = "DEFAULT"
_KNOWN = "KNOWN/"
_OPTION = "ignoreip"
_BETWEEN_WORDS = re.compile("[ ,\n]+")
# [sshd?family=inet6] sets options of sshd that have other names.
_CONDITIONAL = re.compile(r"(\w+)(\?.+)")

_LONGEST_PROBLEM = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Ignored:
    """Networks that fail2ban never bans, each with the sections that name it.

    The sections are jails or `DEFAULT`, which comes first. `left_aside` counts the
    words that are no network, such as host names and `file:` entries. `problems` are
    one line each.
    """

    networks: Mapping[IPv4Network | IPv6Network, tuple[str, ...]] = field(
        default_factory=dict
    )
    left_aside: int = 0
    problems: tuple[str, ...] = ()


def read(folder: Path) -> Ignored:
    """Read `ignoreip` of all jails as fail2ban does, also of jails that are off.

    No name is asked for and no command run. What cannot be read is a problem, and
    what can be read counts all the same; what is not there at all is none, because a
    store of many servers needs no fail2ban.
    """
    files = JailFiles(folder)
    values = _Values(folder)
    for file in files.in_order():
        values.add(file)
    values.finish()
    networks: dict[IPv4Network | IPv6Network, list[str]] = {}
    left_aside: set[str] = set()
    for section, words in values.ignored():
        for word in dict.fromkeys(words):
            network = named_network(word)
            if network is None:
                left_aside.add(word)
            else:
                networks.setdefault(network, []).append(section)
    return Ignored(
        networks={
            network: tuple(dict.fromkeys(sections))
            for network, sections in networks.items()
        },
        left_aside=len(left_aside),
        problems=tuple(
            inert.cut(inert.printable(problem), _LONGEST_PROBLEM)
            for problem in dict.fromkeys([*files.problems, *values.problems])
        ),
    )


def named_network(word: str) -> IPv4Network | IPv6Network | None:
    """Read a word of `ignoreip`, IPv6 in brackets too; None when it is no network."""
    bracketed = word.startswith("[") and word.endswith("]")
    return network_of(word[1:-1] if bracketed else word)


class _Values:
    """The files' options, poured into each other."""

    def __init__(self, folder: Path) -> None:
        self.problems: list[str] = []
        self._folder = folder
        self.defaults: dict[str, str] = {}
        self.sections: dict[str, dict[str, str]] = {}

    def add(self, file: JailFile) -> None:
        """Let a file's options win over those of the files before it.

        `KNOWN/` and a jail is a section of what its options were before the last file
        that sets them. Those of [DEFAULT] have no such memory, so `known/ignoreip` in
        it names itself for ever.
        """
        self.defaults |= file.defaults
        for section, options in file.sections.items():
            name, own = _unconditional(section, options)
            before = self.sections.setdefault(name, {})
            again = {option: before[option] for option in own if option in before}
            if again:
                self.sections.setdefault(_KNOWN + name, {}).update(again)
            before.update(own)

    def finish(self) -> None:
        """Set what fail2ban itself sets after all files are read."""
        self.defaults["fail2ban_confpath"] = str(self._folder)

    def ignored(self) -> Iterator[tuple[str, list[str]]]:
        """Give the words of each section; a jail that says nothing new is left out."""
        everywhere = self._words(DEFAULT)
        yield DEFAULT, everywhere
        for section in self.sections:
            if section == INCLUDES or section.startswith(_KNOWN):
                continue
            if (words := self._words(section)) != everywhere:
                yield section, words

    def _words(self, section: str) -> list[str]:
        own = self.sections.get(section, {})
        raw = own.get(_OPTION, self.defaults.get(_OPTION, ""))
        try:
            text = resolved(section, _OPTION, raw, _Scope(self, section))
        except UnresolvedError as exc:
            # What [DEFAULT] leaves to the jails need not resolve in itself.
            if section != DEFAULT:
                where = section if _OPTION in own else DEFAULT
                self.problems.append(f"{self._folder}: {_OPTION} of [{where}]: {exc}")
            return []
        return [word.strip() for word in _BETWEEN_WORDS.split(text) if word.strip()]


def _unconditional(
    section: str, options: Mapping[str, str]
) -> tuple[str, Mapping[str, str]]:
    if match := _CONDITIONAL.fullmatch(section):
        name, condition = match.groups()
        return name, {option + condition: text for option, text in options.items()}
    return section, options


class _Scope(dict[str, str]):
    """What %(name)s stands for in one section, %(jail/name)s and the like included."""

    def __init__(self, values: _Values, section: str) -> None:
        own = values.sections.get(section, {})
        super().__init__(values.defaults | own | {"__name__": section})
        self._values = values
        self._section = section

    def __missing__(self, name: str) -> str:
        where, slash, option = name.partition("/")
        if not slash:
            raise KeyError(name)
        values = self._values
        if where == "known":
            options = values.sections.get(_KNOWN + self._section, {})
        elif where == DEFAULT.lower():
            options = values.defaults
        else:
            options = values.sections[where]
        return options[option] if option in options else values.defaults[option]
