"""Addresses whose ban would hurt: one's own, a friend's, a CDN's, a crawler's."""

from __future__ import annotations

import functools
import ipaddress
import re
import tomllib
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from f2b_enrich.enrich.ignoreip import DEFAULT, named_network
from f2b_enrich.enrich.reverse_dns import parents
from f2b_enrich.enrich.scanners import network_of
from f2b_enrich.model import Relation

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import date
    from ipaddress import IPv4Network, IPv6Network

    from f2b_enrich.enrich.ignoreip import Ignored

_LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128"))
_MAPPED = ipaddress.IPv6Network("::ffff:0.0.0.0/96")
_MOST_JAILS = 3

# A line of an address is followed by one for each of its routes; those of scope host
# and type LOCAL are the machine's own.
_TRIE_ADDRESS = re.compile(r"\s*\|-- ([0-9.]+)\s*")
_TRIE_LOCAL = re.compile(r"\s*/([0-9]{1,2}) host LOCAL\s*")


@dataclass(frozen=True, slots=True)
class _Related:
    network: IPv4Network | IPv6Network
    relation: Relation


@dataclass(frozen=True, slots=True)
class _Shipped:
    """The shipped list: networks of CDNs, names of crawlers by those of their hosts.

    A host is in a domain, or its name is one of a pattern.
    """

    cdns: tuple[_Related, ...]
    domains: Mapping[str, str]
    patterns: tuple[tuple[_Pattern, str], ...]


@dataclass(frozen=True, slots=True)
class _Pattern:
    """Host names in one domain whose first label begins alike: `proxy-*.example`."""

    start: str
    end: str

    def __str__(self) -> str:
        return f"{self.start}*{self.end}"

    def matches(self, name: str) -> bool:
        """Tell whether a name, in lower case, is one of them."""
        label, dot, domain = name.partition(".")
        begins = len(label) > len(self.start) and label.startswith(self.start)
        return begins and dot + domain == self.end


class Relations:
    """Tells whether a ban's address or network is one of those."""

    def __init__(
        self,
        *,
        machine: Iterable[IPv4Network | IPv6Network] = (),
        own: Iterable[IPv4Network | IPv6Network] = (),
        ignoreip: Iterable[str] = (),
        ignored: Ignored | None = None,
    ) -> None:
        """Take what is known of this machine and its administrator.

        Args:
            machine: what `machine_addresses` found.
            own: networks that the administrator calls his own.
            ignoreip: the words of fail2ban's setting, one or many in a text, as there
                between blanks and commas; host names among them are passed over,
                because nobody knows what they meant at the time.
            ignored: what fail2ban's own configuration was found to say.
        """
        friends = [
            network for word in _words(ignoreip) if (network := named_network(word))
        ]
        configured = ignored.networks.items() if ignored is not None else ()
        related = (
            *(_machine(network, "loopback") for network in _LOOPBACK),
            *(_machine(network, "its own address") for network in machine),
            *(_own(network) for network in own),
            *(
                _friend(network, "fail2ban is told never to ban it")
                for network in friends
            ),
            *(_friend(network, _told_by(sections)) for network, sections in configured),
            *_shipped().cdns,
        )
        self._related = tuple(
            replace(each, network=_unmapped(each.network)) for each in related
        )

    def relation(
        self,
        ip: str,
        *,
        hostname: str | None = None,
        hostname_confirmed: bool | None = None,
    ) -> Relation | None:
        """Name the nearest relation of a ban; None when it has none.

        A CIDR ban is related to what it contains as well as to what it lies in, and
        the answer says which. A crawler is known by its host name only, and only when
        DNS confirms the name: anybody can call his address googlebot.com.
        """
        network = network_of(ip)
        if network is not None:
            network = _unmapped(network)
            for related in self._related:
                if network.overlaps(related.network):
                    wider = network.prefixlen < related.network.prefixlen
                    return replace(related.relation, contained=wider)
        return _crawler(hostname) if hostname_confirmed is True else None


def _words(texts: Iterable[str]) -> Iterator[str]:
    for text in texts:
        yield from text.replace(",", " ").split()


def _unmapped(network: IPv4Network | IPv6Network) -> IPv4Network | IPv6Network:
    """Read a network of IPv4-mapped addresses as the one of IPv4 that it stands for."""
    if isinstance(network, ipaddress.IPv4Network) or not network.subnet_of(_MAPPED):
        return network
    address = int(network.network_address) - int(_MAPPED.network_address)
    return ipaddress.IPv4Network((address, network.prefixlen - _MAPPED.prefixlen))


def _machine(network: IPv4Network | IPv6Network, why: str) -> _Related:
    why = f"{_text(network)} is {why}"
    return _Related(network, Relation(kind="own", name="this machine", why=why))


def _own(network: IPv4Network | IPv6Network) -> _Related:
    name = f"your network {_text(network)}"
    return _Related(network, Relation(kind="own", name=name, why="own.networks"))


def _friend(network: IPv4Network | IPv6Network, why: str) -> _Related:
    name = f"your ignoreip entry {_text(network)}"
    return _Related(network, Relation(kind="friend", name=name, why=why))


def _told_by(sections: Sequence[str]) -> str:
    """Say which of fail2ban's sections name a network; [DEFAULT] speaks for all."""
    if DEFAULT in sections:
        who = f"[{DEFAULT}]"
    else:
        who = "jail " if len(sections) == 1 else "jails "
        who += ", ".join(sections[:_MOST_JAILS])
        if len(sections) > _MOST_JAILS:
            who += f" and {len(sections) - _MOST_JAILS} more"
    return f"ignoreip of {who} in fail2ban's configuration"


def _cdn(network: str, *, name: str, source: str, as_of: date) -> _Related:
    why = f"{network} in its list of {as_of}, {source}"
    return _Related(
        ipaddress.ip_network(network), Relation(kind="cdn", name=name, why=why)
    )


def _text(network: IPv4Network | IPv6Network) -> str:
    alone = network.prefixlen == network.max_prefixlen
    return str(network.network_address if alone else network)


def _crawler(hostname: str | None) -> Relation | None:
    names = list(parents(hostname))
    for domain in names:
        if (name := _shipped().domains.get(domain)) is not None:
            return _indexer(name, f"in {domain}")
    for pattern, name in _shipped().patterns:
        if names and pattern.matches(names[0]):
            return _indexer(name, f"like {pattern}")
    return None


def _indexer(name: str, where: str) -> Relation:
    return Relation(kind="crawler", name=name, why=f"confirmed host name {where}")


@functools.cache
def _shipped() -> _Shipped:
    text = resources.files(__package__).joinpath("relations.toml").read_text("utf-8")
    lists = tomllib.loads(text)
    hosts = [
        (crawler["name"], *host.partition("*"))
        for crawler in lists["crawler"]
        for host in crawler["hostnames"]
    ]
    return _Shipped(
        cdns=tuple(
            _cdn(network, name=cdn["name"], source=cdn["source"], as_of=cdn["as_of"])
            for cdn in lists["cdn"]
            for network in cdn["networks"]
        ),
        domains={domain: name for name, domain, star, _ in hosts if not star},
        patterns=tuple(
            (_Pattern(start, end), name) for name, start, star, end in hosts if star
        ),
    )


def machine_addresses(
    proc: Path = Path("/proc/self/net"),
) -> frozenset[IPv4Network | IPv6Network]:
    """Read which addresses the kernel takes for this machine's own.

    They come as networks, because a whole one can be local. What cannot be read is
    left out: IPv6 may be off, and a container may hide the routes. Not from
    /proc/net: `ProcSubset=pid` in a unit takes that away.
    """
    found: set[IPv4Network | IPv6Network] = set(_trie(_lines(proc / "fib_trie")))
    for line in _lines(proc / "if_inet6"):
        digits = line.partition(" ")[0]
        if re.fullmatch(r"[0-9a-fA-F]{32}", digits):
            found.add(ipaddress.IPv6Network(int(digits, 16)))
    return frozenset(found)


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text("ascii", errors="replace").splitlines()
    except OSError:
        return []


def _trie(lines: Iterable[str]) -> Iterator[IPv4Network]:
    address = None
    for line in lines:
        if match := _TRIE_ADDRESS.fullmatch(line):
            address = match[1]
        elif (match := _TRIE_LOCAL.fullmatch(line)) and address is not None:
            try:
                yield ipaddress.IPv4Network(f"{address}/{match[1]}", strict=False)
            except ValueError:
                continue
