"""Which known organisation that scans the whole Internet an address belongs to."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field
from datetime import date
from importlib import resources
from typing import TYPE_CHECKING, Annotated, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    model_validator,
)

from f2b_enrich.address import read_address
from f2b_enrich.config import EnrichSettings
from f2b_enrich.config_types import Name, Network, Whole
from f2b_enrich.enrich.reverse_dns import host_name, parents
from f2b_enrich.errors import ConfigError
from f2b_enrich.toml_lists import read_list

if TYPE_CHECKING:
    from collections.abc import Sequence
    from ipaddress import IPv4Network, IPv6Network
    from pathlib import Path

_WIDEST = {4: 8, 6: 16}
"""Shortest prefixes of a rule: a slip like 0.0.0.0/0 would whitewash everybody."""

_LONGEST_AS_NAME = 255
_WORD = re.compile(r"[a-z0-9]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scanner:
    """A known scanner, and what showed it.

    `confirmed` is false when only a host name says so that does not point back at
    the address: anybody can give his address such a name. `as_of` is the date of the
    list.
    """

    name: str
    home: str
    matched: str
    confirmed: bool
    as_of: date


def network_of(ip_text: str) -> IPv4Network | IPv6Network | None:
    """Read a ban's address or network as a network; None when it is neither."""
    try:
        return ipaddress.ip_network(read_address(ip_text).text, strict=False)
    except ValueError:
        return None


def _suffix(text: str) -> str:
    name = host_name([label.encode() for label in text.split(".")])
    if name is None or "." not in name or name != text.lower():
        raise ValueError(f"{text!r} is not a domain of two names or more")
    return name


def _narrow(network: IPv4Network | IPv6Network) -> IPv4Network | IPv6Network:
    widest = _WIDEST[network.version]
    if network.prefixlen < widest:
        raise ValueError(f"{network} is too wide, the limit is /{widest}")
    return network


def _words(text: str) -> str:
    return f" {' '.join(_WORD.findall(text.lower()))} "


def _organisation(text: str) -> str:
    words = _words(text)
    if len(words) < 6:
        raise ValueError(f"{text!r} is too short, the limit is 4 letters and digits")
    return words


class _Rules(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Name
    home: Name
    source: Name | None = None
    hostnames: tuple[Annotated[str, AfterValidator(_suffix)], ...] = ()
    networks: tuple[Annotated[Network, AfterValidator(_narrow)], ...] = ()
    asns: tuple[Annotated[Whole, Field(gt=0, lt=1 << 32)], ...] = ()
    organisations: tuple[Annotated[str, AfterValidator(_organisation)], ...] = ()

    @model_validator(mode="after")
    def _has_a_rule(self) -> Self:
        if not (self.hostnames or self.networks or self.asns or self.organisations):
            raise ValueError(
                "no rule: hostnames, networks, asns or organisations are needed"
            )
        return self


class _List(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    as_of: date
    scanners: tuple[_Rules, ...]


@dataclass(frozen=True, slots=True)
class _Known:
    name: str
    home: str
    as_of: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Scanners:
    """All rules, by what they look at; a later list's rule replaces an earlier one's.

    `_networks` has a table for each version and length of prefix, by the prefix's bits.
    """

    _hostnames: dict[str, _Known] = field(default_factory=dict)
    _networks: dict[tuple[int, int], dict[int, _Known]] = field(default_factory=dict)
    _asns: dict[int, _Known] = field(default_factory=dict)
    _organisations: dict[str, _Known] = field(default_factory=dict)

    @classmethod
    def configured(cls, settings: EnrichSettings) -> Scanners:
        """Read the shipped list and the one that `enrich.scanners` names.

        Only at the default path there need not be one.

        Raises:
            ConfigError: with all problems found, each with its file and key.
        """
        own = settings.scanners
        default = EnrichSettings.model_fields["scanners"].default
        try:
            return cls.load([own], optional=default)
        except ConfigError as exc:
            problems = tuple(f"enrich.scanners: {problem}" for problem in exc.problems)
            raise ConfigError(problems) from exc

    @classmethod
    def load(
        cls, paths: Sequence[Path] = (), *, optional: Path | None = None
    ) -> Scanners:
        """Read the shipped list and then the administrator's own files.

        `optional` is the one among them that need not be there.

        Raises:
            ConfigError: with all problems found, each with its file and key.
        """
        shipped = resources.files(__package__).joinpath("scanners.toml")
        found = cls()
        problems: list[str] = []
        for file in (shipped, *paths):
            try:
                found._add(read_list(file, _List))
            except FileNotFoundError as exc:
                if file != optional:
                    problems.append(f"{file}: {exc.strerror}")
            except ConfigError as exc:
                problems += exc.problems
        if problems:
            raise ConfigError(tuple(problems))
        for key in sorted(found._networks, reverse=True):  # the narrowest rule first
            found._networks[key] = found._networks.pop(key)
        return found

    def _add(self, rules: _List) -> None:
        for rule in rules.scanners:
            known = _Known(rule.name, rule.home, rules.as_of)
            self._hostnames.update(dict.fromkeys(rule.hostnames, known))
            self._asns.update(dict.fromkeys(rule.asns, known))
            self._organisations.update(dict.fromkeys(rule.organisations, known))
            for network in rule.networks:
                table = self._networks.setdefault(
                    (network.version, network.prefixlen), {}
                )
                table[_prefix(network, network.prefixlen)] = known

    def identify(
        self,
        ip: str,
        *,
        hostname: str | None = None,
        hostname_confirmed: bool | None = None,
        asn: int | None = None,
        as_name: str | None = None,
    ) -> Scanner | None:
        """Name the scanner behind an address or CIDR ban; None when none is known.

        What nobody can forge goes first: a name that is not confirmed counts only
        when nothing else does, and the finding says so.
        """
        by_name = self._by_hostname(hostname)
        if by_name is not None and hostname_confirmed is True:
            return by_name(confirmed=True)
        matched = self._by_network(ip) or self._by_system(asn, as_name)
        if matched is not None:
            return matched
        return by_name(confirmed=False) if by_name is not None else None

    def _by_hostname(self, hostname: str | None) -> _Finding | None:
        for domain in parents(hostname):
            known = self._hostnames.get(domain)
            if known is not None:
                return _Finding(known, f"host name in {domain}")
        return None

    def _by_network(self, ip: str) -> Scanner | None:
        network = network_of(ip)
        if network is None:
            return None
        for (version, length), table in self._networks.items():
            if version != network.version or length > network.prefixlen:
                continue
            known = table.get(_prefix(network, length))
            if known is not None:
                found = network.supernet(new_prefix=length)
                return _Finding(known, f"network {found}")(confirmed=True)
        return None

    def _by_system(self, asn: int | None, as_name: str | None) -> Scanner | None:
        known = self._asns.get(asn) if asn is not None else None
        if known is not None:
            return _Finding(known, f"AS{asn}")(confirmed=True)
        words = _words((as_name or "")[:_LONGEST_AS_NAME])
        for organisation, known in self._organisations.items():
            if words.startswith((organisation, f" the{organisation}")):
                what = f"AS name that begins with {organisation.strip()!r}"
                return _Finding(known, what)(confirmed=True)
        return None


@dataclass(frozen=True, slots=True)
class _Finding:
    known: _Known
    matched: str

    def __call__(self, *, confirmed: bool) -> Scanner:
        return Scanner(
            name=self.known.name,
            home=self.known.home,
            matched=self.matched,
            confirmed=confirmed,
            as_of=self.known.as_of,
        )


def _prefix(network: IPv4Network | IPv6Network, length: int) -> int:
    return int(network.network_address) >> (network.max_prefixlen - length)
