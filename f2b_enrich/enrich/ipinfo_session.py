"""IPinfo's official client, bounded: imported only when a look-up is due.

Importing `ipinfo` costs 220 ms and 32 MB, aiohttp being most of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import aiohttp
from ipinfo.exceptions import RequestQuotaExceededError

from f2b_enrich.enrich.cooldown import Rest, SourceFault
from f2b_enrich.enrich.ipinfo_answers import BoundedResponse, ErrorAnswer
from f2b_enrich.enrich.ipinfo_plans import AUTO, OWN_HOST, plans
from f2b_enrich.enrich.provider import NoRecordError
from f2b_enrich.errors import ProviderError
from f2b_enrich.inert import cut, printable

if TYPE_CHECKING:
    from ipaddress import IPv4Address, IPv6Address

    from f2b_enrich.enrich.ipinfo_plans import Plan
    from f2b_enrich.enrich.provider import Facts


_OF_RECORDS = (TypeError, ValueError, LookupError, AttributeError)
"""What reading an object raises that is of another address or has an odd country: what
is wrong with one address need not be with the next."""


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

    def __init__(
        self,
        *,
        token: str | None,
        timeout: float,
        base_url: str = OWN_HOST,
        plan: str = AUTO,
        proxy: str = "",
    ) -> None:
        self._base_url = base_url
        self._timeout = timeout
        self._has_token = token is not None
        # What may still answer; the first that does is settled on.
        self._plans = list(plans(plan, has_token=self._has_token))
        self.settled = len(self._plans) == 1
        # The clients make this themselves when it is missing, but without the bound.
        # Their own init() awaits what is no coroutine (5.6.0), so it is not called.
        self._http = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=timeout),
            response_class=BoundedResponse,
            proxy=proxy or None,
        )
        self._clients = {each.name: self._client(each, token) for each in self._plans}

    def _client(self, plan: Plan, token: str | None) -> Any:  # noqa: ANN401 - untyped
        client = plan.make(
            token, cache=_NoCache(), request_options={"timeout": self._timeout}
        )
        client.httpsess = self._http
        return client

    async def look_up(self, ip: IPv4Address | IPv6Address) -> Facts:
        """Ask about one address; until `settled`, to be called by one at a time.

        Plans that are refused are passed over; the last one decides.

        Raises:
            SourceFault: there was no answer.
            ProviderError: there was one, but no record of this address.
        """
        while len(self._plans) > 1 and not self.settled:
            try:
                return await self._settling(ip)
            except _PlanRefused:
                # Not tried again, even when the deadline ends this look-up.
                del self._plans[0]
        return await self._settling(ip)

    async def _settling(self, ip: IPv4Address | IPv6Address) -> Facts:
        facts = await self._ask(self._plans[0], ip)
        self.settled = True
        return facts

    async def _ask(self, plan: Plan, ip: IPv4Address | IPv6Address) -> Facts:
        self._aim(plan)
        try:
            # As text: the client would write an address object exploded.
            details = await self._clients[plan.name].getDetails(str(ip))
            return plan.read(details.all.received, ip)
        except Exception as exc:  # noqa: BLE001 - the client lets anything through
            fault = self._classify(exc)
        # Raised out here without a chain: aiohttp's errors show the request's
        # headers in their repr, and with them the token.
        raise fault

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.close()

    def _aim(self, plan: Plan) -> None:
        """Point the client at our base URL, for all it offers is a module's name.

        It reads the names before its first await, so nothing comes in between. Its
        own check for reserved addresses is switched off: ours was made already, and
        the administrator's `reserved_networks` have to get past both.
        """
        setattr(plan.module, plan.url_name, plan.url(self._base_url))
        vars(plan.module)["is_bogon"] = _never

    def _classify(self, exc: Exception) -> ProviderError:
        if isinstance(exc, ProviderError):
            return exc
        if isinstance(exc, RequestQuotaExceededError):
            rest = Rest.HOUR if self._has_token else Rest.DAY
            return SourceFault("IPinfo's quota is used up (HTTP 429)", rest=rest)
        if isinstance(exc, ErrorAnswer):
            return self._refusal(exc)
        if isinstance(exc, _OF_RECORDS) and not isinstance(exc, aiohttp.ClientError):
            odd = f"IPinfo's answer is no record of this address ({type(exc).__name__})"
            return NoRecordError(odd)
        return SourceFault(self._trouble(exc), rest=Rest.SHORT)

    def _trouble(self, exc: Exception) -> str:
        if isinstance(exc, TimeoutError):
            return f"IPinfo did not answer within {self._timeout:g} s"
        if isinstance(exc, aiohttp.ClientPayloadError):
            return "IPinfo's answer broke off"
        if isinstance(exc, aiohttp.ClientHttpProxyError):
            return f"the proxy on the way to IPinfo answered HTTP {exc.status}"
        if isinstance(exc, aiohttp.ClientConnectionError):
            return f"IPinfo cannot be reached: {cut(printable(str(exc)), 200)}"
        return f"IPinfo's answer is no record of an address ({type(exc).__name__})"

    def _refusal(self, answer: ErrorAnswer) -> ProviderError:
        status = answer.status
        if status in {400, 404}:
            none = f"IPinfo has no record of this address (HTTP {status})"
            return NoRecordError(none)
        if status not in {401, 403}:
            return SourceFault(
                f"IPinfo answered HTTP {status}",
                rest=Rest.SHORT,
                at_least=answer.retry_after,
            )
        whom = "the token" if self._has_token else "requests without a token"
        refusal = f"IPinfo refuses {whom} (HTTP {status})"
        if answer.is_json:
            return _PlanRefused(refusal, rest=Rest.FOR_GOOD)
        # The API says no in JSON. A page is from what stands before it, and tells
        # nothing of the plan.
        return SourceFault(
            f"{refusal}, by a page that is not of its API", rest=Rest.FOR_GOOD
        )


class _PlanRefused(SourceFault):
    """IPinfo's API refuses what was asked; another plan may still be open."""


def _never(_: object) -> bool:
    return False
