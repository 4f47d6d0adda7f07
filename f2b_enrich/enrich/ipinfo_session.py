"""IPinfo's official client, bounded: imported only when a look-up is due.

Importing `ipinfo` costs 220 ms and 32 MB, aiohttp being most of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import aiohttp
import ipinfo
import ipinfo.handler_async
from ipinfo.error import APIError
from ipinfo.exceptions import RequestQuotaExceededError

from f2b_enrich.enrich.cooldown import Rest, SourceFault
from f2b_enrich.enrich.legacy import facts_from
from f2b_enrich.inert import cut, printable

if TYPE_CHECKING:
    from ipaddress import IPv4Address, IPv6Address

    from f2b_enrich.enrich.provider import Facts

LARGEST_BODY = 256 * 1024
"""A record has 300 bytes; the longest of a company's plan has a few thousand."""


class BoundedResponse(aiohttp.ClientResponse):
    """A response that reads no more than a record can need."""

    async def read(self) -> bytes:
        """Read the body as aiohttp does, up to the limit."""
        if self._body is None:
            body = bytearray()
            async for piece in self.content.iter_any():
                body += piece
                if len(body) > LARGEST_BODY:
                    self.close()
                    raise SourceFault(
                        f"IPinfo's answer is over {LARGEST_BODY} bytes",
                        rest=Rest.SHORT,
                    )
            self._body = bytes(body)
        return self._body


class _NoCache:
    """A cache that keeps nothing: the store is the cache, and outlives this."""

    def __contains__(self, key: str) -> bool:
        return False

    def __getitem__(self, key: str) -> Any:  # noqa: ANN401 - the client's own interface
        raise KeyError(key)

    def __setitem__(self, key: str, value: object) -> None:
        """Forget it."""

    def __delitem__(self, key: str) -> None:
        """Nothing was kept."""


class Session:
    """One connection pool to IPinfo, of the event loop it was made in."""

    def __init__(self, *, token: str | None, base_url: str, timeout: float) -> None:
        self._base_url = base_url.rstrip("/")
        self._timeout = timeout
        self._has_token = token is not None
        self._client = ipinfo.getHandlerAsync(
            token, cache=_NoCache(), request_options={"timeout": timeout}
        )
        # The client makes this itself when it is missing, but without the bound.
        # Its own init() awaits what is no coroutine (5.6.0), so it is not called.
        self._client.httpsess = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=timeout),
            response_class=BoundedResponse,
        )

    async def look_up(self, ip: IPv4Address | IPv6Address) -> Facts:
        """Ask about one address.

        Raises:
            SourceFault: there was no answer, or none about this address.
        """
        self._aim()
        try:
            # As text: the client would write an address object exploded.
            details = await self._client.getDetails(str(ip))
            return facts_from(details.all, ip)
        except Exception as exc:  # noqa: BLE001 - the client lets anything through
            fault = self._classify(exc)
        # Raised out here without a chain: aiohttp's errors show the request's
        # headers in their repr, and with them the token.
        raise fault

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.deinit()

    def _aim(self) -> None:
        """Point the client at our base URL, for all it offers is a module's name.

        It reads the names before its first await, so nothing comes in between. Its
        own check for reserved addresses is switched off: ours was made already, and
        the administrator's `reserved_networks` have to get past both.
        """
        module = ipinfo.handler_async
        if self._base_url != module.API_URL:
            module.API_URL = self._base_url
        module.is_bogon = _never

    def _classify(self, exc: Exception) -> SourceFault:
        if isinstance(exc, SourceFault):
            return exc
        if isinstance(exc, RequestQuotaExceededError):
            return SourceFault("IPinfo's quota is used up (HTTP 429)", rest=Rest.QUOTA)
        if isinstance(exc, APIError):
            return self._refusal(exc.error_code)
        return SourceFault(self._trouble(exc), rest=Rest.SHORT)

    def _trouble(self, exc: Exception) -> str:
        if isinstance(exc, TimeoutError):
            return f"IPinfo did not answer within {self._timeout:g} s"
        if isinstance(exc, aiohttp.ClientPayloadError):
            return "IPinfo's answer broke off"
        if isinstance(exc, aiohttp.ClientConnectionError):
            return f"IPinfo cannot be reached: {cut(printable(str(exc)), 200)}"
        return f"IPinfo's answer is no record of this address ({type(exc).__name__})"

    def _refusal(self, status: int) -> SourceFault:
        if status in {401, 403}:
            whom = "the token" if self._has_token else "requests without a token"
            return SourceFault(
                f"IPinfo refuses {whom} (HTTP {status})", rest=Rest.FOR_GOOD
            )
        return SourceFault(f"IPinfo answered HTTP {status}", rest=Rest.SHORT)


def _never(_: object) -> bool:
    return False
