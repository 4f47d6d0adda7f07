"""All sources asked at once about one address."""

from __future__ import annotations

import asyncio
import ipaddress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import structlog

from f2b_enrich.address import read_address
from f2b_enrich.enrich.ipinfo_api import IpinfoApi
from f2b_enrich.enrich.local import LocalDatabase
from f2b_enrich.enrich.merge import Answer, merge, not_looked_up
from f2b_enrich.enrich.provider import NoRecordError, SourceMissingError
from f2b_enrich.enrich.reserved import reason_not_to_look_up
from f2b_enrich.enrich.reverse_dns import ReverseDns
from f2b_enrich.enrich.scanners import Scanners
from f2b_enrich.errors import ProviderError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime
    from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

    from f2b_enrich.config import Settings
    from f2b_enrich.credentials import Secrets
    from f2b_enrich.enrich.provider import Provider
    from f2b_enrich.model import Enrichment

log = structlog.get_logger(__name__)

_OWN_SHARE = 0.95
"""What a source may use of the deadline, so that its own limit is met first."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why one source gave no answer."""

    source: str
    error: ProviderError


@dataclass(frozen=True, slots=True)
class Report:
    """One look-up: what is known, and which sources gave no answer."""

    enrichment: Enrichment
    failures: tuple[Failure, ...] = ()

    @property
    def is_final(self) -> bool:
        """Tell whether to ask again would find no more.

        Else a source that is configured was silent, of which this tells nothing.
        """
        return self.enrichment.complete or any(
            isinstance(failure.error, NoRecordError) for failure in self.failures
        )


class Enricher:
    """Asks every source about an address; what is kept and for how long is not its."""

    def __init__(
        self,
        providers: Sequence[Provider],
        *,
        deadline: float,
        now: Callable[[], datetime],
        lifted: Sequence[IPv4Network | IPv6Network] = (),
        beside: Sequence[Provider] = (),
        local: LocalDatabase | None = None,
        scanners: Scanners | None = None,
    ) -> None:
        """Take the sources in order of preference.

        Args:
            providers: who is asked, the best first.
            deadline: seconds of wall clock for one source and one address.
            now: the clock, in UTC.
            lifted: reserved networks that are looked up all the same.
            beside: who is asked, too, but whose silence leaves nothing to ask again:
                the others would be asked once more with it.
            local: the one of the providers that is on this machine.
            scanners: the scanners that are known.
        """
        self._providers = (*providers, *beside)
        self._beside = frozenset(provider.name for provider in beside)
        self._local = local
        self._scanners = scanners
        self._deadline = deadline
        self._now = now
        self._lifted = tuple(lifted)

    @property
    def sources(self) -> tuple[str, ...]:
        """The names of the sources, the best first."""
        return tuple(provider.name for provider in self._providers)

    @property
    def can_place(self) -> bool:
        """Tell whether the local database is there; it is not opened for that."""
        return self._local is not None and self._local.is_there

    @property
    def has_others(self) -> bool:
        """Tell whether a source is asked beside the local database and DNS."""
        own = len(self._beside) + (self._local is not None)
        return len(self._providers) > own

    async def place(self, ip_text: str) -> Enrichment:
        """Find out what the local database knows; nothing leaves this machine.

        Raises:
            ProviderError: it does not answer, or there is none.
        """
        looked_up_at = self._now()
        reason = reason_not_to_look_up(ip_text, lifted=self._lifted)
        if reason is not None:
            return not_looked_up(ip_text, reason, looked_up_at=looked_up_at)
        if self._local is None:
            raise ProviderError("no local database is configured", retryable=False)
        ip = ipaddress.ip_address(read_address(ip_text).text)
        answer = Answer(self._local.name, await self._local.look_up(ip))
        found = merge(str(ip), [answer], looked_up_at=looked_up_at)
        is_all = len(self._providers) == 1
        return self._with_scanner(replace(found, local_only=not is_all))

    async def look_up(self, ip_text: str) -> Enrichment:
        """Find out what is known about an address.

        Raises:
            ProviderError: no source answered, or there is none.
        """
        return (await self.report(ip_text)).enrichment

    async def report(self, ip_text: str) -> Report:
        """Find out what is known about an address, and who did not say.

        Raises:
            ProviderError: no source answered, or there is none.
        """
        looked_up_at = self._now()
        reason = reason_not_to_look_up(ip_text, lifted=self._lifted)
        if reason is not None:
            return Report(not_looked_up(ip_text, reason, looked_up_at=looked_up_at))
        if not self._providers:
            raise ProviderError("no source of facts is configured", retryable=False)
        ip = ipaddress.ip_address(read_address(ip_text).text)
        outcomes = await asyncio.gather(
            *(self._ask(provider, ip) for provider in self._providers)
        )
        answers = [outcome for outcome in outcomes if isinstance(outcome, Answer)]
        failures = [outcome for outcome in outcomes if isinstance(outcome, Failure)]
        silent = [each for each in failures if each.source not in self._beside]
        alone = all(isinstance(each.error, SourceMissingError) for each in silent)
        if not any(alone or self._counts(answer) for answer in answers):
            raise _no_answer(failures)
        # One that is not there yet counts as switched off, unless it is the only one:
        # then the address is soon asked about again.
        answered = len(silent) < len(self._providers) - len(self._beside)
        found = merge(
            str(ip),
            answers,
            looked_up_at=looked_up_at,
            complete=alone and (answered or not silent),
        )
        return Report(self._with_scanner(found), tuple(failures))

    def _counts(self, answer: Answer) -> bool:
        """Tell a look-up from none: one asked beside that knows nothing makes none."""
        return answer.facts is not None or answer.source not in self._beside

    def _with_scanner(self, found: Enrichment) -> Enrichment:
        if self._scanners is None or found.scanner is not None:
            return found
        scanner = self._scanners.identify(
            found.ip,
            hostname=found.hostname,
            hostname_confirmed=found.hostname_confirmed,
            asn=found.asn,
            as_name=found.as_name,
        )
        if scanner is None:
            return found
        doubt = "" if scanner.confirmed else ", not confirmed"
        source = f"list of scanners of {scanner.as_of}, {scanner.matched}{doubt}"
        return replace(
            found,
            scanner=scanner.name,
            field_sources={**found.field_sources, "scanner": source},
        )

    async def _ask(
        self, provider: Provider, ip: IPv4Address | IPv6Address
    ) -> Answer | Failure:
        try:
            async with asyncio.timeout(self._deadline):
                facts = await provider.look_up(ip)
        except TimeoutError:
            late = f"{provider.name} did not answer within {self._deadline:g} s"
            return Failure(provider.name, ProviderError(late, retryable=True))
        except ProviderError as exc:
            return Failure(provider.name, exc)
        except Exception as exc:
            # A fault of the program, but what the others know is not to be lost by it.
            log.exception("source crashed", source=provider.name)
            odd = f"{provider.name} failed oddly ({type(exc).__name__})"
            return Failure(provider.name, ProviderError(odd, retryable=True))
        return Answer(provider.name, facts)

    async def aclose(self) -> None:
        """Close all sources."""
        for provider in self._providers:
            await provider.aclose()


def _no_answer(failures: Sequence[Failure]) -> ProviderError:
    told = "; ".join(str(failure.error) for failure in failures)
    if any(isinstance(failure.error, NoRecordError) for failure in failures):
        return NoRecordError(told)
    return ProviderError(told, retryable=True)


def build(
    settings: Settings, secrets: Secrets, *, now: Callable[[], datetime]
) -> Enricher:
    """Make the sources that are configured: IPinfo's API first, then the database.

    Attackers' addresses leave this machine only with a token or `ipinfo.keyless`.

    Raises:
        ConfigError: the token cannot be sent, or the list of scanners not be read.
    """
    providers: list[Provider] = []
    if secrets.ipinfo_token is not None or settings.ipinfo.keyless:
        providers.append(
            IpinfoApi(
                token=secrets.ipinfo_token,
                plan=settings.ipinfo.plan,
                base_url=settings.ipinfo.base_url,
                proxy=settings.ipinfo.proxy,
                timeout=settings.ipinfo.timeout_seconds,
                deadline=settings.enrich.deadline_seconds * _OWN_SHARE,
                now=now,
            )
        )
    local = None
    if settings.geo.database is not None:
        local = LocalDatabase(settings.geo.database, now=now)
        providers.append(local)
    return Enricher(
        providers,
        local=local,
        deadline=settings.enrich.deadline_seconds,
        now=now,
        lifted=settings.enrich.reserved_networks,
        beside=_beside(settings),
        scanners=Scanners.configured(settings.enrich),
    )


def _beside(settings: Settings) -> list[Provider]:
    if not settings.dns.reverse:
        return []
    return [ReverseDns(deadline=settings.dns.timeout_seconds)]
