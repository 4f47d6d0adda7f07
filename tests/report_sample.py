"""A report of invented figures, which add up; documentation addresses and networks."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from f2b_enrich.report.figures import (
    VERSION,
    Figures,
    Filter,
    Finding,
    ReportPeriod,
    Totals,
)
from f2b_enrich.report.figures_addresses import (
    Addresses,
    BannedTimes,
    BanTime,
    Offender,
)
from f2b_enrich.report.figures_attacks import AttackCount, Attacks, Names, NameTried
from f2b_enrich.report.figures_places import (
    HostFigures,
    Hosts,
    HostService,
    Place,
    Whom,
    WorldMap,
)
from f2b_enrich.report.figures_rankings import (
    Cell,
    Cross,
    Measure,
    Ranking,
    Scope,
    Share,
    Tied,
)
from f2b_enrich.report.figures_sources import (
    Coverage,
    JailCount,
    Jails,
    ScannerCount,
    Scanners,
    Source,
)
from f2b_enrich.report.figures_times import Day, Outage, Times

if TYPE_CHECKING:
    from collections.abc import Sequence

SINCE, UNTIL = datetime(2024, 10, 1, tzinfo=UTC), datetime(2024, 11, 1, tzinfo=UTC)
MADE_AT = datetime(2024, 11, 1, 6, tzinfo=UTC)
NOTHING = Measure(bans=0, addresses=0, attempts=0)
NO_CROSS = Cross(rows=(), columns=(), cells=(), others=0)

Row = tuple[str, str, int, int, str]


def ranking(
    rows: Sequence[Row],
    base: int,
    *,
    unknown: int = 0,
    count: int | None = None,
    tied: Tied | None = None,
) -> Ranking:
    """Rank key, name, addresses, bans and note of each, the most first."""
    sizes = [row[2] for row in rows]
    shares = tuple(
        Share(
            rank=sizes.index(addresses) + 1,
            key=key,
            name=name,
            addresses=addresses,
            percent=100 * addresses / base,
            bans=bans,
            note=note,
        )
        for key, name, addresses, bans, note in rows
    )
    more = tied.count if tied else 0
    return Ranking(
        base=base,
        unknown=unknown,
        count=len(rows) + more if count is None else count,
        shares=shares,
        tied=tied,
    )


NO_RANKING = Ranking(base=0, unknown=0, count=0, shares=())


def scope(
    service: str | None,
    measure: Measure,
    *,
    note: str = "",
    rankings: Sequence[Ranking] = 4 * (NO_RANKING,),
) -> Scope:
    """Put the four rankings of a service together."""
    countries, organisations, cities, subnets = rankings
    return Scope(
        service=service,
        measure=measure,
        note=note,
        countries=countries,
        organisations=organisations,
        cities=cities,
        subnets=subnets,
    )


COUNTRIES = (
    ("US", "United States", 36, 70, ""),
    ("NL", "Netherlands", 22, 58, ""),
    ("SG", "Singapore", 14, 20, ""),
    ("DE", "Germany", 9, 16, ""),
    ("TR", "Türkiye", 4, 9, ""),
    ("GB", "United Kingdom", 4, 7, ""),
)
ORGANISATIONS = (
    ("AS64500, AS64501", "Example Hosting", 31, 66, "multiple ASNs"),
    ("AS64502", "Example Scan", 20, 24, "known scanner"),
    ("AS64503", "Example Cloud", 20, 31, ""),
    ("AS64504", "例子网络", 8, 30, ""),
)
CITIES = (
    ("US/Virginia/Ashburn", "Ashburn, US", 28, 50, "Virginia"),
    ("NL/North Holland/Amsterdam", "Amsterdam, NL", 20, 52, "North Holland"),
    ("SG/Singapore/Singapore", "Singapore, SG", 14, 20, "Singapore"),
)
SUBNETS = (
    ("192.0.2.0/24", "192.0.2.0/24", 5, 33, ""),
    ("198.51.100.0/24", "198.51.100.0/24", 3, 6, ""),
    ("2001:db8:5::/64", "2001:db8:5::/64", 3, 5, ""),
)


def _scopes() -> tuple[Scope, tuple[Scope, ...]]:
    everything = scope(
        None,
        Measure(bans=186, addresses=93, attempts=1_130),
        rankings=(
            ranking(COUNTRIES, 93, unknown=4),
            ranking(ORGANISATIONS, 93, unknown=4, count=9),
            ranking(CITIES, 93, unknown=16, count=9),
            ranking(SUBNETS, 93, tied=Tied(rank=4, count=82, each=1)),
        ),
    )
    web = scope(
        "web",
        Measure(bans=131, addresses=70, attempts=640),
        rankings=(
            ranking(
                [
                    ("US", "United States", 30, 55, ""),
                    ("NL", "Netherlands", 20, 40, ""),
                    ("SG", "Singapore", 14, 20, ""),
                    ("DE", "Germany", 6, 16, ""),
                ],
                70,
            ),
            ranking(ORGANISATIONS[:2], 70, count=6),
            ranking(CITIES[:1], 70, unknown=12, count=4),
            ranking(SUBNETS[:1], 70, tied=Tied(rank=2, count=65, each=1)),
        ),
    )
    mail = scope(
        "mail",
        Measure(bans=49, addresses=24, attempts=450),
        rankings=(
            ranking([("US", "United States", 8, 14, "")], 24, unknown=4, count=5),
            ranking([("AS64503", "Example Cloud", 9, 15, "")], 24, count=5),
            NO_RANKING,
            NO_RANKING,
        ),
    )
    ssh = scope(
        "ssh",
        Measure(bans=6, addresses=4, attempts=40),
        note="SSH looks low because it listens on port 2222",
        rankings=(
            ranking([("TR", "Türkiye", 4, 6, "")], 4),
            NO_RANKING,
            NO_RANKING,
            NO_RANKING,
        ),
    )
    return everything, (web, mail, ssh)


def days(bans: Sequence[int], *, gaps: Sequence[int] = ()) -> tuple[Day, ...]:
    """Give a day each; those of `gaps`, counted from 0, are such."""
    return tuple(
        Day(
            day=SINCE.date() + timedelta(days=at),
            bans=count,
            state="gap" if at in gaps else "data",
        )
        for at, count in enumerate(bans)
    )


def _times() -> Times:
    bans = [6, 5, 7, 4, 9, 8, 6, 5, 7, 6, 8, 0, 0, 0, 12, 6, 5, 7, 6, 0, 9, 8]
    bans += [6, 5, 7, 6, 8, 7, 6, 5]
    by_day = days([*bans, 186 - sum(bans)], gaps=(11, 12, 13))
    hours = [[0] * 24 for _ in range(7)]
    for each in by_day:
        for ban in range(each.bans):
            hours[each.day.weekday()][(ban * 5 + each.day.day) % 24] += 1
    return Times(
        days=by_day,
        outages=(
            Outage(
                host=None, first=date(2024, 10, 12), last=date(2024, 10, 14), usual=6.5
            ),
            Outage(
                host="mail1.example.org",
                first=date(2024, 10, 20),
                last=date(2024, 10, 20),
                usual=3.0,
            ),
        ),
        hours=tuple(map(tuple, hours)),
    )


def offender(rank: int = 1, ip: str = "192.0.2.62", bans: int = 17) -> Offender:
    """Give an address that three hosts banned."""
    return Offender(
        rank=rank,
        ip=ip,
        bans=bans,
        attempts=5 * bans,
        host_count=3,
        hosts=("mail1.example.org", "web1.example.org", "web2.example.org"),
        jail_count=3,
        jails=("nginx-botsearch", "postfix-sasl", "sshd"),
        country_code="NL",
        organisation="Example Hosting",
        scanner=None,
        first_at=datetime(2024, 10, 2, 3, 12, tzinfo=UTC),
        last_at=datetime(2024, 10, 30, 22, 40, tzinfo=UTC),
        first_bantime=600,
        longest_bantime=604_800,
        neighbours=4,
        neighbours_bans=16,
    )


def _addresses() -> Addresses:
    stranger = replace(
        offender(2, "2001:db8:5::9", 9),
        host_count=1,
        hosts=("web1.example.org",),
        jail_count=1,
        jails=("nginx-botsearch",),
        country_code=None,
        organisation=None,
        first_bantime=None,
        longest_bantime=-1,
        neighbours=0,
        neighbours_bans=0,
    )
    scanner = replace(stranger, ip="198.51.100.4", scanner="Example Scan")
    return Addresses(
        banned=tuple(
            BannedTimes(bans=bans, addresses=addresses)
            for bans, addresses in zip(
                (1, 2, 3, 4, 5, 9, 17), (57, 20, 4, 3, 6, 2, 1), strict=True
            )
        ),
        offenders=(offender(), stranger, scanner),
        tied=Tied(rank=4, count=6, each=5),
        ban_times=(
            BanTime(number=1, bans=93, median_seconds=600, for_ever=0),
            BanTime(number=2, bans=40, median_seconds=1_200, for_ever=0),
            BanTime(number=3, bans=53, median_seconds=None, for_ever=53),
        ),
    )


def _attacks() -> Attacks:
    classes = (
        ("wordpress-probe", "WordPress probe", 80, 50, 400),
        ("mail-password-guessing", "IMAP, POP3 or SMTP password guessing", 49, 24, 450),
        ("credentials-probe", "probe for cloud credentials (.aws, .env)", 51, 22, 60),
        ("ssh-password-guessing", "SSH password guessing", 6, 4, 40),
    )
    return Attacks(
        classes=tuple(
            AttackCount(
                attack=attack,
                name=name,
                bans=bans,
                addresses=addresses,
                percent=100 * addresses / 93,
                lines=lines,
            )
            for attack, name, bans, addresses, lines in classes
        ),
        by_country=cross(
            [(attack, name) for attack, name, *_ in classes],
            [(code, name) for code, name, *_ in COUNTRIES],
        ),
        by_service=cross(
            [(attack, name) for attack, name, *_ in classes],
            [("web", "web"), ("mail", "mail"), ("ssh", "ssh")],
        ),
    )


def cross(rows: Sequence[tuple[str, str]], columns: Sequence[tuple[str, str]]) -> Cross:
    """Fill a table with small numbers, and leave some fields out, which are 0."""
    return Cross(
        rows=tuple(rows),
        columns=tuple(columns),
        cells=tuple(
            Cell(row=row, column=column, addresses=1 + x + y, bans=2 + x + 2 * y)
            for x, (row, _) in enumerate(rows)
            for y, (column, _) in enumerate(columns)
            if (x + y) % 4 != 3
        ),
        others=11,
    )


def _parts() -> dict[str, object]:
    hosts = ("mail1.example.org", "web1.example.org", "web2.example.org")
    countries = [(code, name) for code, name, *_ in COUNTRIES]
    return {
        "names": Names(
            base=28,
            left_out=41,
            names=(
                NameTried(rank=1, name="root", addresses=12, bans=20),
                NameTried(rank=2, name="admin", addresses=9, bans=14),
                NameTried(rank=2, name="info@example.org", addresses=9, bans=9),
            ),
            tied=Tied(rank=4, count=120, each=2),
        ),
        "whom": Whom(
            by_host=cross(countries, [(host, host) for host in hosts]),
            by_host_country=cross(
                countries, [("SG", "Singapore"), ("US", "United States")]
            ),
        ),
        "scanners": Scanners(
            left_out=False,
            everything=Measure(bans=186, addresses=93, attempts=1_130),
            without=Measure(bans=162, addresses=73, attempts=1_005),
            scanners=(ScannerCount(name="Example Scan", addresses=20, bans=24),),
        ),
        "coverage": Coverage(
            to_city=77,
            to_country=12,
            unknown=4,
            looked_up_later=3,
            sources=(
                Source(
                    source="IPinfo",
                    addresses=77,
                    oldest_at=datetime(2024, 10, 1, 0, 4, tzinfo=UTC),
                    newest_at=datetime(2024, 10, 31, 23, 58, tzinfo=UTC),
                ),
                Source(
                    source="local database",
                    addresses=12,
                    oldest_at=datetime(2024, 10, 3, tzinfo=UTC),
                    newest_at=datetime(2024, 12, 4, tzinfo=UTC),
                ),
            ),
        ),
        "jails": Jails(
            jails=(
                jail("nginx-botsearch", "web", 120, 65),
                jail("postfix-sasl", "mail", 49, 24),
                replace(jail("shop-login", "other", 11, 7), is_known=False),
                jail("sshd", "ssh", 6, 4),
            ),
            left_out=(jail("apache-overflows", "web", 3, 2),),
        ),
    }


def _world() -> WorldMap:
    return WorldMap(
        places=(
            place("US", "United States", "Virginia", "Ashburn", (39.04, -77.49), 28),
            place(
                *("NL", "Netherlands", "North Holland", "Amsterdam"), (52.37, 4.89), 20
            ),
            place("SG", "Singapore", "Singapore", "Singapore", (1.29, 103.85), 14),
            place("DE", "Germany", "", "", (51.11, 10.39), 27),
        ),
        unplaced=4,
    )


def place(
    code: str,
    country: str,
    region: str,
    city: str,
    position: tuple[float, float],
    addresses: int,
) -> Place:
    """Put addresses somewhere, each banned twice."""
    return Place(
        country_code=code,
        country=country,
        region=region,
        city=city,
        latitude=position[0],
        longitude=position[1],
        addresses=addresses,
        bans=2 * addresses,
    )


def _hosts() -> Hosts:
    services = {"web1": (("web", 40, 61),), "web2": (("web", 38, 70), ("ssh", 4, 6))}
    return Hosts(
        count=3,
        hosts=(
            host(1, "web2.example.org", "SG", services["web2"]),
            host(2, "web1.example.org", "US", services["web1"]),
            host(3, "mail1.example.org", None, (("mail", 24, 49),)),
        ),
    )


def host(
    rank: int, name: str, code: str | None, services: Sequence[tuple[str, int, int]]
) -> HostFigures:
    """Give a host with its services, none of whose addresses is on two of them."""
    addresses = sum(each[1] for each in services)
    bans = sum(each[2] for each in services)
    found = [
        ("US", "United States", addresses // 2, bans // 2, ""),
        ("NL", "Netherlands", addresses // 4, bans // 4, ""),
    ]
    return HostFigures(
        rank=rank,
        host=name,
        country_code=code,
        measure=Measure(bans=bans, addresses=addresses, attempts=5 * bans),
        services=tuple(
            HostService(service=service, addresses=addresses, bans=bans)
            for service, addresses, bans in services
        ),
        countries=ranking(found, addresses, count=9, unknown=1),
        organisations=ranking(ORGANISATIONS[3:], addresses, count=6),
        days=tuple(bans if day == 4 else 0 for day in range(31)),
    )


def jail(name: str, service: str, bans: int, addresses: int) -> JailCount:
    """Give a jail whose service is known."""
    return JailCount(
        jail=name, service=service, bans=bans, addresses=addresses, is_known=True
    )


def sample() -> Figures:
    """Give a month of three hosts, with something in every part."""
    everything, services = _scopes()
    totals = Totals(
        measure=everything.measure,
        hosts=3,
        days=31,
        days_covered=28,
        repeats=41,
        cidr_bans=2,
    )
    return Figures(
        world=_world(),
        hosts=_hosts(),
        version=VERSION,
        made_at=MADE_AT,
        period=ReportPeriod(
            label="October 2024", since=SINCE, until=UNTIL, zone="Etc/UTC"
        ),
        filters=(Filter(what="jail", values=("apache-overflows",), leaves_out=True),),
        top=10,
        findings=(
            Finding(
                kind="change",
                text="186 bans, 24.0% more than in September 2024 (150).",
                numbers={"bans": 186, "before": 150, "percent": 24.0},
            ),
            Finding(
                kind="several-hosts",
                text="192.0.2.62 (NL, Example Hosting) was banned 17 times on 3 hosts; "
                "4 other addresses of 192.0.2.0/24 were banned 16 times.",
                numbers={"ip": "192.0.2.62", "bans": 17, "hosts": 3},
            ),
        ),
        totals=totals,
        before=replace(
            totals,
            measure=Measure(bans=150, addresses=80, attempts=1_400),
            hosts=3,
            days=30,
            days_covered=30,
            repeats=41,
        ),
        before_label="September 2024",
        everything=everything,
        services=services,
        several_services=5,
        times=_times(),
        addresses=_addresses(),
        attacks=_attacks(),
        **_parts(),  # type: ignore[arg-type]
    )


def empty() -> Figures:
    """Give a month without a ban, in a store that begins with it."""
    nothing = Totals(
        measure=NOTHING, hosts=0, days=31, days_covered=0, repeats=0, cidr_bans=0
    )
    return replace(
        sample(),
        filters=(),
        findings=(),
        totals=nothing,
        before=None,
        everything=scope(None, NOTHING),
        services=(),
        several_services=0,
        times=Times(
            days=tuple(replace(day, state="before") for day in days([0] * 31)),
            outages=(),
            hours=7 * (24 * (0,),),
        ),
        addresses=Addresses(banned=(), offenders=(), tied=None, ban_times=()),
        attacks=Attacks(classes=(), by_country=NO_CROSS, by_service=NO_CROSS),
        names=Names(base=0, left_out=0, names=()),
        whom=Whom(by_host=NO_CROSS, by_host_country=NO_CROSS),
        scanners=Scanners(
            left_out=False, everything=NOTHING, without=NOTHING, scanners=()
        ),
        coverage=Coverage(
            to_city=0, to_country=0, unknown=0, looked_up_later=0, sources=()
        ),
        jails=Jails(jails=(), left_out=()),
        world=WorldMap(places=(), unplaced=0),
        hosts=Hosts(count=0, hosts=()),
    )


HOSTILE = "=1+1\x1b[31m\n\r\u202e\u009b\u200b2J\ttoo"
"""A formula, escape sequences, line ends, a turned direction, what cannot be seen."""


def hostile(text: str = HOSTILE) -> Figures:
    """Give the month with a text of an attacker in every place that takes one."""
    figures: Figures = _replaced(sample(), text)
    names = tuple(replace(each, name=text) for each in figures.names.names)
    return replace(figures, names=replace(figures.names, names=names))


# Not the names of kinds, zones and services, which are the program's own; an address
# was read as one.
_OWN = {"kind", "zone", "state", "ip", "service"}


def _replaced(value: Any, text: str) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        changed = {
            field.name: _replaced(getattr(value, field.name), text)
            for field in fields(value)
            if field.name not in _OWN
        }
        return replace(value, **changed)
    if isinstance(value, tuple):
        return tuple(_replaced(each, text) for each in value)
    return text if isinstance(value, str) else value


def worst() -> Figures:
    """Give figures that are hard to show: long, wide and many, nothing looked up."""
    wide = "\u5bbd" * 90
    bans = 2_000_000
    measure = Measure(bans=bans, addresses=400_000, attempts=9_999_999_999)
    unknown = Ranking(base=400_000, unknown=400_000, count=0, shares=())
    many = Ranking(
        base=400_000,
        unknown=0,
        count=100_000,
        shares=(
            Share(
                rank=1, key=wide, name=wide, addresses=300_000, percent=75.0, bans=bans
            ),
        ),
    )
    month = sample()
    jails = tuple(jail(f"{wide}-{at}", "web", 200, 40) for at in range(10_000))
    long = tuple((f"{wide}{at}", f"{at}{wide}") for at in range(40))
    table = cross(long, long)
    outages = tuple(
        Outage(host=f"{wide}{at}", first=date(2024, 1, 1), last=UNTIL.date(), usual=1)
        for at in range(1_000)
    )
    worse = offender(1, "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", 1_000_000)
    worst_of = replace(
        worse, host_count=5_000, hosts=tuple(f"{wide}{at}" for at in range(20))
    )
    by_day = tuple(
        Day(day=date(2021, 1, 1) + timedelta(days=at), bans=at * 1_000, state="data")
        for at in range(1_500)
    )
    return replace(
        month,
        period=replace(month.period, label=f"the {wide}", zone="America/New_York"),
        filters=(Filter(what="jail", values=tuple(each.jail for each in jails[:99])),),
        totals=replace(month.totals, measure=measure),
        before_label=wide,
        everything=scope(None, measure, rankings=(unknown, many, many, unknown)),
        services=(
            scope("web", measure, note=wide, rankings=4 * (many,)),
            scope("mail", NOTHING),
        ),
        times=Times(days=by_day, outages=outages, hours=7 * (24 * (987_654,),)),
        addresses=replace(month.addresses, offenders=(worst_of, *119 * (worse,))),
        attacks=replace(month.attacks, by_country=table, by_service=NO_CROSS),
        whom=Whom(by_host=table, by_host_country=NO_CROSS),
        jails=Jails(jails=jails, left_out=jails[:20]),
        world=WorldMap(
            places=500 * (place(wide, wide, wide, wide, (-89.999999, -179.999999), 1),),
            unplaced=399_500,
        ),
        hosts=Hosts(
            count=5_000,
            hosts=tuple(
                replace(
                    host(1, f"{wide}{at}", wide, (("web", 400_000, bans),)),
                    countries=many,
                    days=1_500 * (1_333,),
                )
                for at in range(9)
            ),
            tied=Tied(rank=10, count=4_991, each=123_456),
        ),
    )
