"""What an old record is called in the store: host, jail and address, folded."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from f2b_enrich.address import name_of

if TYPE_CHECKING:
    from collections.abc import Mapping

_MOST_KEPT = 150_000


class _Addresses(dict[str, str]):
    """Addresses as the store writes them, by how they are written elsewhere."""

    def __missing__(self, text: str) -> str:
        """Name what was not met lately."""
        if len(self) >= _MOST_KEPT:
            self.clear()
        name = self[text] = name_of(text)
        return name


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """How names are folded before a record gets its id, as those of a live report are.

    `only_host` is that of all records whatever they name, `host` that of those that
    name none.
    """

    host: str
    only_host: str | None = None
    hosts: Mapping[str, str] = field(default_factory=dict)
    jails: Mapping[str, str] = field(default_factory=dict)
    _addresses: _Addresses = field(default_factory=_Addresses)

    def host_of(self, named: str | None) -> str:
        """Give the host of a record."""
        name = self.only_host or named or self.host
        return self.hosts.get(name, name)

    def jail_of(self, named: str | None) -> str | None:
        """Give the jail of a record, None where it names none."""
        return self.jails.get(named, named) if named else None

    def address_of(self, text: str) -> str:
        """Write an address as the store does."""
        return self._addresses[text]
