"""A real DNS server on loopback, over UDP and TCP, as hostile as a test wants it.

    async with DnsServer({("example.", "A"): ["192.0.2.1"]}) as server:
        ...  # 127.0.0.1, server.port
        server.asked

`records` maps a name and a type to texts as a zone file has them; a CNAME is followed,
as a resolver does for its clients. `faults` maps a name to what is done instead.
"""

from __future__ import annotations

import asyncio
import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self, cast

import dns.asyncresolver
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SILENT = "never answer"
SERVFAIL = "SERVFAIL"
REFUSED = "REFUSED"
GARBAGE = "bytes that are no message"
OTHER_QUESTION = "answer what nobody asked"
TRUNCATED = "cut the answer over UDP"

_LONGEST_CHAIN = 32


@dataclass
class DnsServer:
    """Answers on one port of 127.0.0.1 while its `async with` block lasts."""

    records: Mapping[tuple[str, str], Sequence[str]] = field(default_factory=dict)
    faults: Mapping[str, str] = field(default_factory=dict)
    tcp: bool = True
    port: int = 0
    asked: list[tuple[str, str]] = field(default_factory=list)
    asked_over_tcp: int = 0

    async def __aenter__(self) -> Self:
        # TCP first: the same number is seldom taken for UDP.
        self._tcp = (
            await asyncio.start_server(self._serve_tcp, "127.0.0.1", 0)
            if self.tcp
            else None
        )
        if self._tcp is not None:
            self.port = self._tcp.sockets[0].getsockname()[1]
        self._udp, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: _Udp(self), local_addr=("127.0.0.1", self.port)
        )
        self.port = self._udp.get_extra_info("sockname")[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._udp.close()
        if self._tcp is not None:
            self._tcp.close()
            await self._tcp.wait_closed()

    def resolver(self) -> dns.asyncresolver.Resolver:
        """Make a resolver that asks this server and reads nothing of the system's."""
        resolver = dns.asyncresolver.Resolver(configure=False)
        resolver.nameservers = ["127.0.0.1"]
        resolver.port = self.port
        return resolver

    async def _serve_tcp(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        (length,) = struct.unpack("!H", await reader.readexactly(2))
        self.asked_over_tcp += 1
        answer = self.answer(await reader.readexactly(length), over_udp=False)
        writer.write(struct.pack("!H", len(answer)) + answer)
        await writer.drain()
        writer.close()

    def answer(self, request: bytes, *, over_udp: bool) -> bytes:
        """Write the answer to one message; empty when there shall be none."""
        query = dns.message.from_wire(request)
        question = query.question[0]
        name = question.name.to_text().lower()
        self.asked.append((name, dns.rdatatype.to_text(question.rdtype)))
        fault = self.faults.get(name)
        response = dns.message.make_response(query)
        response.flags |= dns.flags.RA
        if fault == SILENT:
            return b""
        if fault == GARBAGE:
            return request[:2] + b"\xff" * 40
        if fault in {SERVFAIL, REFUSED}:
            response.set_rcode(dns.rcode.from_text(fault))
            return response.to_wire()
        self._fill(response, question.name, question.rdtype)
        if fault == OTHER_QUESTION:
            response.question = [
                dns.rrset.from_text("other.example.", 0, "IN", question.rdtype)
            ]
        if over_udp and fault == TRUNCATED:
            response.answer.clear()
            response.flags |= dns.flags.TC
        return response.to_wire(max_size=65535)

    def _fill(
        self,
        response: dns.message.Message,
        name: dns.name.Name,
        kind: dns.rdatatype.RdataType,
    ) -> None:
        for _ in range(_LONGEST_CHAIN):
            alias = self._records(name, dns.rdatatype.CNAME)
            found = self._records(name, kind)
            if found is not None:
                response.answer.append(found)
            if alias is None:
                break
            if alias not in response.answer:
                response.answer.append(alias)
            name = alias[0].target
        if not response.answer and not self._exists(name):
            response.set_rcode(dns.rcode.NXDOMAIN)

    def _records(
        self, name: dns.name.Name, kind: dns.rdatatype.RdataType
    ) -> dns.rrset.RRset | None:
        texts = self.records.get(
            (name.to_text().lower(), dns.rdatatype.to_text(kind)), ()
        )
        return dns.rrset.from_text(name, 60, "IN", kind, *texts) if texts else None

    def _exists(self, name: dns.name.Name) -> bool:
        return any(owner == name.to_text().lower() for owner, _ in self.records)


class _Udp(asyncio.DatagramProtocol):
    def __init__(self, server: DnsServer) -> None:
        self._server = server

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # asyncio's own transport of Python 3.11 is no subclass of that.
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        answer = self._server.answer(data, over_udp=True)
        if answer:
            self._transport.sendto(answer, addr)
