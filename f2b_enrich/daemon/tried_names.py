"""Which of the user names that somebody tried this machine has."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from f2b_enrich.model import TriedName

if TYPE_CHECKING:
    from collections.abc import Iterable

    from f2b_enrich.model import Observed

ACCOUNTS = Path("/etc/passwd")

MOST_ACCOUNTS = 4 << 20
"""Bytes read of the file of accounts."""


class TriedNames:
    """Knows the accounts of this machine."""

    def __init__(self, *, host: str, accounts: Path) -> None:
        """Take this machine's name and its file of accounts (passwd(5)).

        Accounts of a directory service are not asked for: an attacker would choose
        what is asked.
        """
        self._host = host
        self._accounts = accounts

    def of(self, observed: Iterable[Observed], *, host: str) -> tuple[TriedName, ...]:
        """Give the names among what a ban of `host` shows; elsewhere none is known."""
        seen = [one for one in observed if one.kind == "username"]
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
