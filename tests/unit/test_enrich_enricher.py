"""All sources are asked, and what they do not say does not hide what they do."""

from __future__ import annotations

import asyncio
import ipaddress
from typing import TYPE_CHECKING

import dns.asyncresolver
import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs

from f2b_enrich.config import (
    DnsSettings,
    EnrichSettings,
    GeoSettings,
    IpinfoSettings,
    Settings,
)
from f2b_enrich.credentials import Secrets
from f2b_enrich.enrich.enricher import Enricher, build
from f2b_enrich.enrich.local import LocalDatabase
from f2b_enrich.enrich.provider import Facts, NoRecordError, SourceMissingError
from f2b_enrich.enrich.reverse_dns import ReverseDns
from f2b_enrich.enrich.scanners import Scanners
from f2b_enrich.errors import ConfigError, ProviderError
from tests.clock import Clock
from tests.mmdb import write_lite

if TYPE_CHECKING:
    from collections.abc import Sequence
    from ipaddress import IPv4Address, IPv6Address
    from pathlib import Path

    from f2b_enrich.enrich.provider import Provider

LIFTED = (ipaddress.ip_network("192.0.2.0/24"), ipaddress.ip_network("2001:db8::/32"))
GERMAN = Facts(country_code="DE")


class Source:
    """A source that says what it was told to, or fails, or waits for ever."""

    def __init__(self, name: str, outcome: Facts | Exception | None) -> None:
        self.name = name
        self.outcome = outcome
        self.asked: list[str] = []
        self.closed = False

    async def look_up(self, ip: IPv4Address | IPv6Address) -> Facts | None:
        self.asked.append(str(ip))
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome

    async def aclose(self) -> None:
        self.closed = True


class Silent(Source):
    async def look_up(self, ip: IPv4Address | IPv6Address) -> Facts | None:
        self.asked.append(str(ip))
        await asyncio.Event().wait()
        return None


def enricher(
    *providers: Provider,
    deadline: float = 5.0,
    beside: Sequence[Provider] = (),
    scanners: Scanners | None = None,
) -> Enricher:
    return Enricher(
        providers,
        deadline=deadline,
        now=Clock(),
        lifted=LIFTED,
        beside=beside,
        scanners=scanners,
    )


def broken(*, retryable: bool = True) -> ProviderError:
    return ProviderError("it broke", retryable=retryable)


async def test_all_sources_are_asked_and_named() -> None:
    first, second = Source("a", GERMAN), Source("b", Facts(asn=64496))
    sources = enricher(first, second)

    found = await sources.look_up("::ffff:192.0.2.1")

    assert sources.sources == ("a", "b")
    assert (found.ip, found.country_code, found.asn) == ("192.0.2.1", "DE", 64496)
    assert found.source == "a, b"
    assert found.complete
    assert first.asked == second.asked == ["192.0.2.1"]


@pytest.mark.parametrize("text", ["10.0.0.1", "203.0.113.0/24", "notanip!"])
async def test_nobody_is_asked_about_what_is_not_public(text: str) -> None:
    source = Source("a", GERMAN)

    found = await enricher(source).look_up(text)

    assert source.asked == []
    assert (found.ip, found.source, found.country_code) == (text, "none", None)
    assert "not looked up" in found.raw


async def test_what_is_not_public_needs_no_source() -> None:
    assert (await enricher().look_up("10.0.0.1")).source == "none"


async def test_a_source_that_fails_leaves_the_answer_incomplete() -> None:
    report = await enricher(Source("a", broken()), Source("b", GERMAN)).report(
        "192.0.2.1"
    )

    assert report.enrichment.country_code == "DE"
    assert not report.enrichment.complete
    assert [failure.source for failure in report.failures] == ["a"]


async def test_a_source_that_is_not_there_does_not_make_an_answer_incomplete() -> None:
    missing = Source("a", SourceMissingError("no file"))

    report = await enricher(missing, Source("b", GERMAN)).report("192.0.2.1")

    assert report.enrichment.complete
    assert [str(failure.error) for failure in report.failures] == ["no file"]


async def test_a_source_that_crashes_loses_nothing_of_the_others() -> None:
    odd = Source("a", RuntimeError("with the \n secret of its insides"))
    with capture_logs() as lines:
        report = await enricher(odd, Source("b", GERMAN)).report("192.0.2.1")

    assert (report.enrichment.country_code, report.enrichment.complete) == ("DE", False)
    (failure,) = report.failures
    assert str(failure.error) == "a failed oddly (RuntimeError)"
    assert failure.error.retryable
    (line,) = lines
    assert (line["event"], line["source"], line["exc_info"]) == (
        *("source crashed", "a"),
        True,
    )


@pytest.mark.parametrize(
    "text",
    ["nameserver 192.0.2.1x\n", "nameserver 192.0.2.1\n# caf\u00e9\n", "domain\n"],
    ids=["no address", "Latin-1", "no server"],
)
async def test_a_bad_resolv_conf_loses_nothing_of_the_others(
    tmp_path: Path, text: str
) -> None:
    file = tmp_path / "resolv.conf"
    file.write_text(text, "latin-1")
    names = ReverseDns(lambda: dns.asyncresolver.Resolver(str(file)))
    with capture_logs() as lines:
        found = await enricher(Source("a", GERMAN), beside=[names]).look_up("192.0.2.1")

    assert (found.country_code, found.complete) == ("DE", True)
    assert lines == []


async def test_a_source_that_knows_nothing_has_answered() -> None:
    found = await enricher(Source("a", None)).look_up("2001:db8::1")

    assert (found.source, found.complete, found.raw) == ("none", True, {})


async def test_all_sources_failing_is_worth_another_try() -> None:
    sources = enricher(Source("a", broken(retryable=False)), Source("b", broken()))

    with pytest.raises(ProviderError, match="it broke; it broke") as caught:
        await sources.look_up("192.0.2.1")

    assert caught.value.retryable


async def test_no_source_at_all_is_not_worth_another_try() -> None:
    with pytest.raises(ProviderError, match="no source") as caught:
        await enricher().look_up("192.0.2.1")

    assert not caught.value.retryable


async def test_a_silent_source_is_not_waited_for() -> None:
    sources = enricher(Silent("a", None), Source("b", GERMAN), deadline=0.01)

    report = await sources.report("192.0.2.1")

    assert report.enrichment.country_code == "DE"
    assert not report.enrichment.complete
    assert str(report.failures[0].error) == "a did not answer within 0.01 s"


async def test_closing_closes_all() -> None:
    first, second = Source("a", None), Source("b", None)

    await enricher(first, second).aclose()

    assert first.closed
    assert second.closed


def configured(
    *,
    token: str | None = None,
    keyless: bool = False,
    database: bool = True,
    dns: bool = False,
) -> tuple[str, ...]:
    settings = Settings(
        dns=DnsSettings(reverse=dns),
        ipinfo=IpinfoSettings(keyless=keyless),
        geo=GeoSettings() if database else GeoSettings(database=None),
    )
    secrets = Secrets(ipinfo_token=SecretStr(token) if token else None)
    return build(settings, secrets, now=Clock()).sources


def test_ipinfo_is_asked_only_with_a_token_or_when_told_to() -> None:
    assert configured() == ("local database",)
    assert configured(token="tok-legacy") == ("IPinfo", "local database")
    assert configured(keyless=True) == ("IPinfo", "local database")
    assert configured(keyless=True, database=False) == ("IPinfo",)
    assert configured(database=False) == ()
    assert configured(dns=True) == ("local database", "DNS")


async def test_one_asked_beside_leaves_nothing_to_ask_again() -> None:
    name = Source("b", broken())
    found = await enricher(Source("a", GERMAN), beside=[name]).look_up("192.0.2.1")
    assert (found.country_code, found.complete, name.asked) == (
        *("DE", True),
        ["192.0.2.1"],
    )


async def test_one_asked_beside_that_knows_nothing_is_no_look_up() -> None:
    name = Source("b", None)
    with pytest.raises(ProviderError, match="it broke"):
        await enricher(Source("a", broken()), beside=[name]).look_up("192.0.2.1")
    assert (await enricher(beside=[name]).look_up("192.0.2.1")).complete


@pytest.mark.parametrize("said", [None, Facts(hostname="host.example")])
async def test_while_the_only_source_is_not_there_a_look_up_is_soon_made_again(
    said: Facts | None,
) -> None:
    missing, name = Source("a", SourceMissingError("no file")), Source("b", said)

    found = await enricher(missing, beside=[name]).look_up("192.0.2.1")

    assert not found.complete
    assert found.hostname == (said.hostname if said else None)


async def test_without_any_answer_a_missing_source_is_no_look_up() -> None:
    missing, name = Source("a", SourceMissingError("no file")), Source("b", broken())

    with pytest.raises(ProviderError, match="no file; it broke"):
        await enricher(missing, beside=[name]).look_up("192.0.2.1")


@pytest.mark.parametrize(
    ("confirmed", "doubt"), [(True, ""), (False, ", not confirmed")]
)
async def test_a_known_scanner_is_named_and_beside_it_what_showed_it(
    *, confirmed: bool, doubt: str
) -> None:
    name = Facts(hostname="census1.shodan.io", hostname_confirmed=confirmed)
    found = await enricher(Source("a", name), scanners=Scanners.load()).look_up(
        "192.0.2.1"
    )
    assert found.scanner == "Shodan"
    assert found.field_sources["scanner"].endswith(f"host name in shodan.io{doubt}")


async def test_what_a_source_calls_a_scanner_stands() -> None:
    sources = [Source("a", Facts(scanner="theirs", hostname="x.shodan.io"))]
    found = await enricher(*sources, scanners=Scanners.load()).look_up("192.0.2.1")
    assert (found.scanner, found.field_sources["scanner"]) == ("theirs", "a")


async def test_an_administrators_list_adds_to_the_shipped_one(tmp_path: Path) -> None:
    own = tmp_path / "scanners.toml"
    settings = Settings(
        dns=DnsSettings(reverse=False),
        enrich=EnrichSettings(scanners=own, reserved_networks=LIFTED),
        geo=GeoSettings(database=tmp_path / "none.mmdb"),
    )
    with pytest.raises(ConfigError, match=r"^enrich.scanners: .*: No such file"):
        build(settings, Secrets(), now=Clock())
    own.write_text("as_of = 2026-11-22\n[[scanners]]\nname = 7")
    with pytest.raises(ConfigError, match=r"scanners\.toml: scanners\.0\.name"):
        build(settings, Secrets(), now=Clock())


def test_a_token_that_cannot_be_sent_is_refused_at_once() -> None:
    with pytest.raises(ConfigError):
        configured(token="line\nbreak")


async def test_without_a_local_database_nothing_is_placed(tmp_path: Path) -> None:
    missing = LocalDatabase(tmp_path / "none.mmdb", now=Clock())
    look = Enricher([missing], deadline=5, now=Clock(), lifted=LIFTED, local=missing)
    without = Enricher([Source("a", GERMAN)], deadline=5, now=Clock(), lifted=LIFTED)

    assert (look.can_place, without.can_place) == (False, False)
    assert (look.has_others, without.has_others) == (False, True)
    for each, reason in ((look, "no database there"), (without, "no local database")):
        with pytest.raises(ProviderError, match=reason):
            await each.place("192.0.2.1")


@pytest.mark.parametrize("others", [0, 1])
async def test_what_is_placed_tells_whether_others_could_know_more(
    tmp_path: Path, others: int
) -> None:
    local = LocalDatabase(write_lite(tmp_path / "geo.mmdb"), now=Clock())
    more = [Source("a", GERMAN) for _ in range(others)]
    look = Enricher([*more, local], deadline=5, now=Clock(), lifted=LIFTED, local=local)
    found = await look.place("192.0.2.1")
    reserved = await look.place("10.0.0.1")
    unknown = await look.place("192.0.2.0/24")
    await look.aclose()

    assert (found.country_code, found.asn, found.complete) == ("DE", 64496, True)
    assert [each.asked for each in more] == [[]] * others
    assert [each.local_only for each in (found, reserved, unknown)] == [
        bool(others),
        False,
        False,
    ]
    assert reserved.raw == {"not looked up": "private address"}


@pytest.mark.parametrize(
    ("outcome", "is_final"),
    [
        (GERMAN, True),
        (None, True),
        (NoRecordError("none of it"), True),
        (ProviderError("silent", retryable=True), False),
        (SourceMissingError("not there"), True),
    ],
)
async def test_a_source_that_was_silent_may_know_more_later(
    outcome: Facts | Exception | None, *, is_final: bool
) -> None:
    sources = [Source("a", outcome), Source("b", GERMAN)]
    look = Enricher(sources, deadline=5, now=Clock(), lifted=LIFTED)

    assert (await look.report("192.0.2.1")).is_final is is_final


async def test_no_answer_but_that_there_is_no_record_is_told_apart() -> None:
    for error in (NoRecordError("none"), ProviderError("silent", retryable=True)):
        look = Enricher([Source("a", error)], deadline=5, now=Clock(), lifted=LIFTED)
        with pytest.raises(ProviderError) as caught:
            await look.report("192.0.2.1")
        assert type(caught.value) is type(error)
