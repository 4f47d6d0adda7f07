"""IPinfo's API as a source of facts."""

from __future__ import annotations

import asyncio
import importlib
from typing import TYPE_CHECKING

from f2b_enrich.enrich.cooldown import Cooldown, Rest, SourceFault
from f2b_enrich.enrich.fields import header_text

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from ipaddress import IPv4Address, IPv6Address

    from pydantic import SecretStr

    from f2b_enrich.enrich.ipinfo_session import Session
    from f2b_enrich.enrich.provider import Facts


class IpinfoApi:
    """The provider over IPinfo's official client, with rests when it fails."""

    name = "IPinfo"

    def __init__(
        self,
        *,
        token: SecretStr | None,
        base_url: str,
        timeout: float,
        deadline: float,
        now: Callable[[], datetime],
        plan: str = "auto",
        proxy: str = "",
    ) -> None:
        """Prepare, without a connection.

        Args:
            token: what IPinfo knows us by; None asks without one.
            base_url: one of your own with all plans below it, or IPinfo's.
            timeout: the client's own limit of a request, in seconds.
            deadline: our limit of a whole look-up, in seconds.
            now: the clock, in UTC.
            plan: as in the setting `ipinfo.plan`.
            proxy: the URL of an HTTP proxy, without user and password; may be empty.

        Raises:
            ConfigError: the token cannot stand in an HTTP header.
        """
        self._token = header_text(token) if token is not None else None
        self._base_url = base_url
        self._plan = plan
        self._proxy = proxy
        self._timeout = timeout
        self._deadline = deadline
        self._cooldown = Cooldown(self.name, now=now)
        self._session: Session | None = None
        self._finding_plan = asyncio.Lock()

    async def look_up(self, ip: IPv4Address | IPv6Address) -> Facts | None:
        """Ask IPinfo, unless it rests after a failure."""
        if not self._knows_plan():
            # One at a time, or each of many would try the plans on its own. Whoever
            # waits is not in the cooldown yet, and so meets what the first one met.
            async with self._finding_plan:
                if not self._knows_plan():
                    return await self._ask(ip)
        return await self._ask(ip)

    def _knows_plan(self) -> bool:
        return self._session is not None and self._session.settled

    async def _ask(self, ip: IPv4Address | IPv6Address) -> Facts:
        with self._cooldown.request():
            session = await self._opened()
            try:
                # The client's own limit is not relied on: a body that drips has
                # outlasted it.
                async with asyncio.timeout(self._deadline):
                    return await session.look_up(ip)
            except TimeoutError:
                raise SourceFault(
                    f"IPinfo did not answer within {self._deadline:g} s",
                    rest=Rest.SHORT,
                ) from None

    async def aclose(self) -> None:
        """Close the connections."""
        session, self._session = self._session, None
        if session is not None:
            await session.aclose()

    async def _opened(self) -> Session:
        if self._session is not None:
            return self._session
        # In a thread, because the import would hold up the event loop.
        module = await asyncio.to_thread(
            importlib.import_module, "f2b_enrich.enrich.ipinfo_session"
        )
        if self._session is None:
            self._session = module.Session(
                token=self._token,
                base_url=self._base_url,
                timeout=self._timeout,
                plan=self._plan,
                proxy=self._proxy,
            )
        session: Session = self._session
        return session
