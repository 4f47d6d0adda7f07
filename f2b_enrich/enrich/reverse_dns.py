"""The host name of an address, and whether that name points back at it."""

from __future__ import annotations

import asyncio
import ipaddress
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from f2b_enrich.enrich.provider import Facts
from f2b_enrich.errors import ProviderError
from f2b_enrich.inert import cut, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from ipaddress import IPv4Address, IPv6Address

    from dns.asyncresolver import Resolver

LONGEST_NAME = 253
"""Characters of a name without its last dot (RFC 1035, 255 octets on the wire)."""

MOST_NAMES = 4
"""Names of one address that are confirmed: its owner may publish thousands."""

_TRIES = 4
"""Packets that fit into the deadline: one may be lost, a first server be dead."""

_LABEL = re.compile(rb"[a-z0-9_-]{1,63}")


@dataclass(frozen=True, slots=True, kw_only=True)
class HostName:
    """A name that the owner of an address gave it.

    `confirmed` says whether the name's own addresses hold it; None when nobody
    answered that. `tried` are the names that were looked up, of `count` usable ones.
    """

    name: str
    confirmed: bool | None
    tried: tuple[str, ...]
    count: int


def host_name(labels: Sequence[bytes]) -> str | None:
    """Read the labels of a name from DNS as a host name in lower case.

    A label may hold any byte, and whoever owns an address writes them: escape
    sequences, spaces, dots. What is no name that a host could have is dropped, not
    shown in part, because it can neither be looked up nor be told from a forgery:
    None for anything but letters, digits, `-` and `_`, for a first `-`, which programs
    take for an option, and for a number at the end, which reads as an address.
    Internationalised names stay in their ASCII form.
    """
    parts = [label.lower() for label in labels if label]
    if not parts or not all(_LABEL.fullmatch(part) for part in parts):
        return None
    text = b".".join(parts).decode("ascii")
    if len(text) > LONGEST_NAME or text.startswith("-") or parts[-1].isdigit():
        return None
    return text


def parents(hostname: str | None) -> Iterator[str]:
    """Give a host name in lower case and all domains above it, the longest first.

    Nothing for what DNS has no name for: in lower case U+212A would pass for a `k`.
    """
    name = (hostname or "").removesuffix(".")
    if len(name) > LONGEST_NAME or not name.isascii():
        return
    name = name.lower()
    while name:
        yield name
        name = name.partition(".")[2]


class ReverseDns:
    """The provider over reverse DNS, with names confirmed by a look-up forward."""

    name = "DNS"

    def __init__(
        self,
        resolver: Callable[[], Resolver] | None = None,
        *,
        deadline: float = 2.0,
    ) -> None:
        """Prepare, without reading anything.

        Args:
            resolver: makes the resolver, in a thread; default the system's servers.
            deadline: seconds of wall clock for all questions about one address.
        """
        self._make = resolver
        self._deadline = deadline
        self._client: _Client | None = None

    async def look_up(self, ip: IPv4Address | IPv6Address) -> Facts | None:
        """Ask for the name of an address; None when it has no usable one."""
        found = await self.find(ip)
        if found is None:
            return None
        return Facts(
            hostname=found.name,
            hostname_confirmed=found.confirmed,
            raw={"names": list(found.tried), "names_in_all": found.count},
        )

    async def find(self, ip: IPv4Address | IPv6Address) -> HostName | None:
        """Take the first name that is confirmed, else the first, in alphabetical order.

        Raises:
            ProviderError: the servers did not answer in time, or with a failure.
        """
        client = await self._opened()
        ends = asyncio.get_running_loop().time() + self._deadline
        try:
            async with asyncio.timeout_at(ends):
                names = await client.names(ip, lifetime=self._deadline)
        except TimeoutError:
            self._client = None
            late = f"DNS did not answer within {self._deadline:g} s"
            raise ProviderError(late, retryable=True) from None
        except ProviderError:
            self._client = None  # /etc/resolv.conf may name other servers by now
            raise
        if not names:
            return None
        tried = names[:MOST_NAMES]
        verdicts = await asyncio.gather(
            *(self._confirmed(client, name, ip, ends) for name in tried)
        )
        first = verdicts.index(True) if True in verdicts else 0
        return HostName(
            name=tried[first],
            confirmed=verdicts[first],
            tried=tried,
            count=len(names),
        )

    async def _confirmed(
        self, client: _Client, name: str, ip: IPv4Address | IPv6Address, ends: float
    ) -> bool | None:
        try:
            async with asyncio.timeout_at(ends):
                return ip in await client.addresses(
                    name, version=ip.version, lifetime=self._deadline
                )
        except (TimeoutError, ProviderError):
            return None  # the name is known all the same

    async def aclose(self) -> None:
        """Forget the servers; no connection outlives a question."""
        self._client = None

    async def _opened(self) -> _Client:
        if self._client is None:
            # In a thread, because the import would hold up the event loop.
            self._client = await asyncio.to_thread(
                _Client, self._make, tries_within=self._deadline
            )
        return self._client


class _Client:
    """Questions to a resolver, its many errors made two: no such thing, or no answer.

    Made in a thread: importing dnspython takes 90 ms.
    """

    def __init__(
        self, make: Callable[[], Resolver] | None, *, tries_within: float
    ) -> None:
        import dns.asyncresolver  # noqa: PLC0415 - here, because it takes its time
        import dns.exception  # noqa: PLC0415
        import dns.resolver  # noqa: PLC0415

        self._unknown = dns.resolver.NXDOMAIN
        self._failure = dns.exception.DNSException
        try:
            self._resolver = (make or dns.asyncresolver.Resolver)()
        # No /etc/resolv.conf, no server in it; one of no address, or no UTF-8 (those
        # are plain ValueErrors: dnspython 2.9).
        except (self._failure, ValueError, OSError) as exc:
            reason = cut(printable(str(exc)), 200)
            raise ProviderError(f"DNS: {reason}", retryable=True) from exc
        self._resolver.timeout = tries_within / _TRIES

    async def names(
        self, ip: IPv4Address | IPv6Address, *, lifetime: float
    ) -> tuple[str, ...]:
        """Ask for the usable names of an address, in alphabetical order."""
        records = await self._ask(f"{ip.reverse_pointer}.", "PTR", lifetime=lifetime)
        found = {host_name(record.target.labels) for record in records}
        return tuple(sorted(name for name in found if name is not None))

    async def addresses(
        self, name: str, *, version: int, lifetime: float
    ) -> set[IPv4Address | IPv6Address]:
        """Ask for the addresses of a name."""
        kind = "A" if version == 4 else "AAAA"
        records = await self._ask(f"{name}.", kind, lifetime=lifetime)
        return {ipaddress.ip_address(record.address) for record in records}

    async def _ask(self, name: str, kind: str, *, lifetime: float) -> Iterable[Any]:
        try:
            answer = await self._resolver.resolve(
                name, kind, raise_on_no_answer=False, lifetime=lifetime
            )
        except self._unknown:
            return ()
        except (self._failure, ValueError, OSError) as exc:
            reason = type(exc).__name__  # its text is pages of servers' answers
            raise ProviderError(
                f"DNS gave no answer: {reason}", retryable=True
            ) from exc
        return answer.rrset or ()
