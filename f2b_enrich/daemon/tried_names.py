"""The user names that a ban's lines show, and which of them this machine has."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from f2b_enrich.classify.observed import Observer
from f2b_enrich.classify.rules import shipped
from f2b_enrich.model import TriedName

if TYPE_CHECKING:
    from collections.abc import Iterable

    from f2b_enrich.model import LogLine

ACCOUNTS = Path("/etc/passwd")

MOST_ACCOUNTS = 4 << 20
"""Bytes read of the file of accounts."""


class TriedNames:
    """Reads names out of log lines; holds the rules, compiled."""

    def __init__(self, *, host: str, accounts: Path) -> None:
        """Take this machine's name and its file of accounts (passwd(5)).

        Accounts of a directory service are not asked for: an attacker would choose
        what is asked.
        """
        self._host = host
        self._accounts = accounts
        # The other rules tell of attacks only; compiled, they take twice the memory.
        self._observer = Observer(rule for rule in shipped() if rule.shows)

    def of(self, lines: Iterable[LogLine], *, host: str) -> tuple[TriedName, ...]:
        """Give the names, most lines first; on other hosts no account is known."""
        seen = [
            one
            for one in self._observer.observe(line.line for line in lines)
            if one.kind == "username"
        ]
        known = self._names() if seen and host == self._host else frozenset()
        return tuple(
            TriedName(name=one.value, lines=one.lines, is_account=one.value in known)
            for one in seen
        )

    def _names(self) -> frozenset[str]:
        try:
            with self._accounts.open("rb") as file:
                raw = file.read(MOST_ACCOUNTS)
        except OSError:
            return frozenset()
        names = (line.partition(b":")[0] for line in raw.splitlines())
        return frozenset(name.decode("utf-8", "replace") for name in names if name)
