"""The bans of a digest by jail and network, each named or, of very many, counted."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING

from f2b_enrich.mail import wording

if TYPE_CHECKING:
    from collections.abc import Iterable

    from f2b_enrich.figures import FoldedBan

MOST_NAMED = 500
"""Bans whose addresses the mail itself names; of more each is in the attachment, and
readers that cut long mails cut none of what matters."""

_MOST_JAILS = 10
_MOST_NETWORKS = 5
_NONE = 9
_LONGEST = 60
"""Where the name of a network is cut, in characters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkList:
    """A network's bans: its addresses, or only their count when there are too many."""

    name: str
    counted: str
    addresses: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class JailList:
    """A jail's bans by network, those of the most bans first; `more` are left out."""

    jail: str
    counted: str
    networks: tuple[NetworkList, ...]
    more: str


def by_jail(bans: tuple[FoldedBan, ...]) -> tuple[tuple[JailList, ...], str]:
    """Group bans, the jail of the most first; and say what is left out, if anything."""
    is_named = len(bans) <= MOST_NAMED
    jails: dict[str, list[FoldedBan]] = {}
    for ban in bans:
        jails.setdefault(ban.jail, []).append(ban)
    ordered = sorted(jails.items(), key=lambda each: (-len(each[1]), each[0]))
    shown = ordered if is_named else ordered[:_MOST_JAILS]
    rest = ordered[len(shown) :]
    lists = tuple(_jail(jail, of_jail, is_named=is_named) for jail, of_jail in shown)
    return lists, _more(rest, "more jail")


def _jail(jail: str, bans: list[FoldedBan], *, is_named: bool) -> JailList:
    networks: dict[str, list[FoldedBan]] = {}
    for ban in bans:
        networks.setdefault(network(ban.asn, ban.as_name), []).append(ban)
    ordered = sorted(networks.items(), key=lambda each: (-len(each[1]), each[0]))
    shown = ordered if is_named else ordered[:_MOST_NETWORKS]
    return JailList(
        jail=jail,
        counted=counted(bans),
        networks=tuple(
            NetworkList(
                name=name or "no known network",
                counted=counted(of_network),
                addresses=_addresses(of_network) if is_named else (),
            )
            for name, of_network in shown
        ),
        more=_more(ordered[len(shown) :], "more network"),
    )


def _addresses(bans: list[FoldedBan]) -> tuple[str, ...]:
    """Name each address once, with the number of its bans if there are several."""
    times = Counter(ban.ip for ban in bans)
    ordered = sorted(times.items(), key=lambda each: (-each[1], *_place(each[0])))
    return tuple(f"{ip} ({count:,})" if count > 1 else ip for ip, count in ordered)


def _place(ip: str) -> tuple[int, int, str]:
    """Order addresses as numbers: .9 comes before .10, and what is none comes last."""
    try:
        address = ip_address(ip)
    except ValueError:
        return (_NONE, 0, ip)
    return (address.version, int(address), ip)


def network(asn: int | None, as_name: str | None) -> str:
    """Name a network as `AS64500 Example Hosting`; nothing if it is not known."""
    number = f"AS{asn}" if asn else ""
    name = " ".join((as_name or "").split())
    if len(name) > _LONGEST:
        name = f"{name[: _LONGEST - 3].rstrip(' ,.')}..."
    return f"{number} {name}".strip()


def counted(bans: Iterable[FoldedBan]) -> str:
    """Write `12 bans of 8 addresses`."""
    ips = [ban.ip for ban in bans]
    return f"{wording.counted(len(ips), 'ban')} of {addresses(len(set(ips)))}"


def addresses(number: int) -> str:
    """Write `1 address`, `611 addresses`."""
    return f"{number:,} address{'' if number == 1 else 'es'}"


def _more(rest: list[tuple[str, list[FoldedBan]]], noun: str) -> str:
    if not rest:
        return ""
    left = [ban for _, bans in rest for ban in bans]
    return f"{wording.counted(len(rest), noun)}: {counted(left)}"
