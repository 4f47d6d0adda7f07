"""From facts to words: what the templates of an alert have to show."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from f2b_enrich import inert
from f2b_enrich.address import read_address
from f2b_enrich.mail import attacks, campaigns, names, past, wording
from f2b_enrich.mail.alert import NOT_LOOKED_UP
from f2b_enrich.mail.excerpt import WIDTH, Log, excerpt
from f2b_enrich.mail.relations import NOBODY, warning, whose
from f2b_enrich.mail.subject import subject
from f2b_enrich.model import FOR_EVER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from f2b_enrich.address import Address
    from f2b_enrich.figures import FoldedBan
    from f2b_enrich.mail.alert import Alert
    from f2b_enrich.mail.digest import Answered
    from f2b_enrich.model import Ban, Enrichment

LONGEST_READ = 4096
_LONGEST_JAIL = 40

UNSURE = "not confirmed"
"""How the source of a scanner ends that nothing but such a host name shows."""

_TOPICS = {
    **dict.fromkeys(("country_code", "country", "region", "city"), "place"),
    **dict.fromkeys(("asn", "as_name", "as_domain"), "network"),
    **dict.fromkeys(("is_hosting", "is_vpn", "is_tor", "is_proxy"), "network"),
    **dict.fromkeys(("hostname", "hostname_confirmed"), "name"),
    "scanner": "scanner",
}
"""What the reader calls a fact; facts that the mail does not show have no source."""

_TRAITS = {
    "hosting": "is_hosting",
    "VPN": "is_vpn",
    "Tor": "is_tor",
    "proxy": "is_proxy",
}


class Typed(str):
    """What people type again, so that no letter of it may be changed.

    Nothing that an attacker chose is this.
    """

    __slots__ = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """Jail and address, quoted for a shell."""

    jail: Typed
    ip: str


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """The words of one alert; a field that is empty or None has nothing to show.

    The names are those that templates use, an administrator's own among them.
    """

    subject: str
    ip: str
    host: str
    jail: str
    by_hand: bool
    failures: str
    nth: str
    is_lock_out: bool
    warning: tuple[str, ...]
    whose: str
    attacks: tuple[str, ...]
    repeats: tuple[str, ...]
    names: tuple[str, ...]
    has_accounts: bool
    within: str
    times: tuple[tuple[str, str], ...]
    place: str
    precision: str | None
    network: tuple[str, ...]
    traits: tuple[str, ...]
    hostname: str | None
    confirmed: bool | None
    scanner: str | None
    records: str
    history: tuple[tuple[str, ...], ...]
    also: tuple[str, ...]
    log: Log
    command: Command | None
    page: str | None
    sources: tuple[str, ...]
    from_ipinfo: bool
    short_id: str
    version: str


def view(alert: Alert) -> View:
    """Put all that an alert tells into words."""
    ban, found, before = alert.ban, alert.enrichment, alert.history
    address = read_address(ban.ip)
    return View(
        subject=subject(alert),
        ip=ban.ip,
        host=ban.host,
        jail=ban.jail,
        by_hand=attacks.is_by_hand(alert),
        failures=wording.counted(ban.failures, "failure") if ban.failures else "",
        nth="" if attacks.is_repeat(alert) else _nth(alert.nth),
        is_lock_out=alert.is_lock_out,
        warning=warning(alert.relation) if alert.relation else (),
        whose=_whose(alert, address),
        attacks=tuple(attacks.classes(alert)),
        repeats=tuple(attacks.repeats(alert)),
        names=tuple(names.listed(alert.names)),
        has_accounts=any(tried.is_account for tried in alert.names),
        within=_within(alert),
        times=tuple(_times(alert)),
        place=_place(found, address),
        precision=found.location_precision if found and found.country_code else None,
        network=tuple(_network(found)) if found else (),
        traits=tuple(_traits(found)) if found else (),
        hostname=found.hostname if found else None,
        confirmed=found.hostname_confirmed if found else None,
        scanner=_scanner(found) if found else None,
        records=past.records(before, alert.timezone) if before else "",
        history=tuple(_history(alert)),
        also=tuple(_also(alert)),
        log=excerpt(alert.lines, handed_over=ban.lines_received),
        command=command(ban),
        page=None if found and NOT_LOOKED_UP in found.raw else _page(address),
        sources=tuple(_sources(alert)),
        from_ipinfo=bool(found and _is_from_ipinfo(found)),
        short_id=ban.id.partition("-")[0],
        version=alert.version,
    )


def harmless(value: object) -> str:
    """Make of any value what may stand in a mail: short, on one line, no link."""
    if isinstance(value, Typed):
        return inert.printable(value)
    # Far more than is shown, for a secret is told before it is cut.
    text = inert.without_secrets(inert.printable(str(value)[:LONGEST_READ]))
    return inert.defang(inert.cut(text, WIDTH))


def _nth(nth: int) -> str:
    if nth == 1:
        return "First"
    return wording.ordinal(nth) if nth > 1 else ""


def _times(alert: Alert) -> Iterator[tuple[str, str]]:
    ban, zone = alert.ban, alert.timezone
    is_failure = ban.banned_at_source == "failure" and ban.failures > 0
    yield (
        "last failure" if is_failure else "banned",
        wording.moment(ban.banned_at, zone),
    )
    if ban.unbanned_at is not None:
        yield "unbanned", wording.moment(ban.unbanned_at, zone)
    elif ban.bantime_seconds == FOR_EVER:
        yield "planned end", "none, banned for ever"
    elif ban.bantime_seconds is not None:
        least = "" if alert.bantime_known else "at least "
        length = wording.span(ban.bantime_seconds)
        if ban.expires_at is None:  # after the year 9999
            yield "planned for", least + length
        else:
            end = wording.moment(ban.expires_at, zone)
            yield "planned end", f"{least}{end} ({length})"


def _history(alert: Alert) -> Iterator[tuple[str, ...]]:
    if alert.history is None:
        return
    yield from past.lines(alert.history, alert.timezone)
    for walk in alert.campaigns:
        yield tuple(campaigns.pieces(walk, alert.timezone))


def _also(alert: Alert) -> Iterator[str]:
    """Name the bans that this mail stands for, too, with their jails and times."""
    for ban in alert.also:
        when = wording.minute(ban.banned_at, alert.timezone)
        jail, short_id = inert.cut(ban.jail, _LONGEST_JAIL), ban.id.partition("-")[0]
        yield f"{jail} {when} ({short_id})"


def _within(alert: Alert) -> str:
    if alert.span is None:
        return ""
    seconds = int(alert.span.total_seconds())
    return f"within {wording.span(seconds)}" if seconds else "in the same second"


def _place(found: Enrichment | None, address: Address) -> str:
    if found is None:
        return _unasked(address)
    names = (found.city, found.region, found.country or found.country_code)
    known = dict.fromkeys(name for name in names if name)
    if known:
        return ", ".join(known)
    if NOT_LOOKED_UP in found.raw:
        return f"not looked up: {found.raw[NOT_LOOKED_UP]}"
    return "not known" if found.complete else "not known, a source did not answer"


def _unasked(address: Address) -> str:
    if address.is_network:
        return "not looked up: a network, not an address"
    if address.version is None:
        return "not looked up: not an address"
    return "not looked up yet"


def _network(found: Enrichment) -> Iterator[str]:
    name = " ".join(
        part for part in (f"AS{found.asn}" if found.asn else "", found.as_name) if part
    )
    yield from (part for part in (name, found.as_domain) if part)


def _traits(found: Enrichment) -> Iterator[str]:
    for answer, word in ((True, "yes"), (False, "no")):
        names = [name for name, key in _TRAITS.items() if getattr(found, key) is answer]
        if names:
            yield f"{', '.join(names)}: {word}"


def _scanner(found: Enrichment) -> str | None:
    if found.scanner and found.field_sources.get("scanner", "").endswith(UNSURE):
        return f"{found.scanner}, says a host name that is not confirmed"
    return found.scanner


def command(ban: Ban | FoldedBan | Answered) -> Command | None:
    """Quote jail and address for a shell.

    None if they would be shown other than they must be typed, or be taken for options.
    """
    ip, jail = shlex.quote(ban.ip), shlex.quote(ban.jail)
    if harmless(ip) != ip or inert.printable(jail) != jail or len(jail) > WIDTH:
        return None
    if ban.ip.startswith("-") or ban.jail.startswith("-"):
        return None
    return Command(ip=ip, jail=Typed(jail))


def _whose(alert: Alert, address: Address) -> str:
    if alert.relation is not None:
        return whose(alert.relation)
    return NOBODY if address.version else ""


def _page(address: Address) -> str | None:
    """Give the address that IPinfo has a page of; a network or a name has none."""
    if address.version is None or address.is_network or "%" in address.text:
        return None
    return address.text


def _sources(alert: Alert) -> Iterator[str]:
    found = alert.enrichment
    if found is None or NOT_LOOKED_UP in found.raw:
        yield "fail2ban only"
        return
    topics: dict[str, dict[str, None]] = {}
    for field, source in found.field_sources.items():
        if field in _TOPICS:
            topics.setdefault(source, {})[_TOPICS[field]] = None
    for source, told in topics.items():
        yield f"{', '.join(told)}: {source}"
    looked_up = wording.moment(found.looked_up_at, alert.timezone)
    yield f"looked up {looked_up}" if topics else f"nothing found {looked_up}"
    if not found.complete:
        yield "not every source answered"


def _is_from_ipinfo(found: Enrichment) -> bool:
    sources = found.field_sources.values()
    return any("ipinfo" in source.casefold() for source in sources)
