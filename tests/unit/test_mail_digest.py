"""The digest as its readers get it: what it tells, and that its numbers add up."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from f2b_enrich.figures import Count, FoldedBan, NameCount, Period
from f2b_enrich.mail.digest_lists import MOST_NAMED, by_jail
from f2b_enrich.mail.digest_sample import a_ban, empty, known, many
from f2b_enrich.mail.digest_subject import subject
from tests.digest_mail import body, sent, table
from tests.reading import Reader

BERLIN = ZoneInfo("Europe/Berlin")
KNOWN = known()
[OURS] = KNOWN.lock_outs


def text(digest: object) -> str:
    return body(sent(digest), "plain")  # type: ignore[arg-type]


def words(digest: object, kind: str = "plain") -> str:
    found = body(sent(digest), kind)  # type: ignore[arg-type]
    if kind == "html":
        reader = Reader()
        reader.feed(found)
        found = " ".join(reader.text)
    return " ".join(found.split())


def test_the_subject_says_how_much_where_when_and_what_to_look_at() -> None:
    assert subject(KNOWN) == (
        "[fail2ban] daily: 1,284 bans of 611 addresses on 2 hosts, Fri 20 Nov; "
        "1 earlier; 5 to look at"
    )
    assert subject(empty()) == (
        "[fail2ban] daily: 0 bans of 0 addresses on web1, Fri 20 Nov"
    )
    late = replace(empty(), bans=(a_ban(1, at=empty().period.until),))
    assert subject(late).endswith(", Fri 20 Nov; 1 later")
    assert "1 ban, 1 of after that day." in words(late)


def test_one_host_is_named() -> None:
    figures = replace(
        empty().figures,
        count=Count(bans=1, addresses=1, failures=5),
        hosts=("mail1.example.org",),
    )

    assert " 1 ban of 1 address on mail1, " in subject(
        replace(empty(), figures=figures)
    )


@pytest.mark.parametrize(
    ("since", "until", "short", "long"),
    [
        (
            datetime(2026, 10, 24, 22, tzinfo=UTC),
            datetime(2026, 10, 25, 23, tzinfo=UTC),  # a day of 25 hours
            "Sun 25 Oct",
            "Sun 2026-10-25, 00:00 CEST-24:00 CET",
        ),
        (
            datetime(2026, 11, 20, 13, tzinfo=UTC),
            datetime(2026, 11, 20, 14, tzinfo=UTC),
            "Fri 20 Nov 14:00-15:00",
            "Fri 2026-11-20, 14:00-15:00 CET",
        ),
        (
            datetime(2026, 11, 15, 23, tzinfo=UTC),
            datetime(2026, 11, 22, 23, tzinfo=UTC),
            "16 Nov to 22 Nov",
            "Mon 2026-11-16 00:00 to Mon 2026-11-23 00:00 CET",
        ),
        (
            datetime(2026, 11, 19, 6, tzinfo=UTC),
            datetime(2026, 11, 20, 6, tzinfo=UTC),
            "19 Nov 07:00 to 20 Nov 07:00",
            "Thu 2026-11-19 07:00 to Fri 2026-11-20 07:00 CET",
        ),
    ],
)
def test_the_time_is_told_as_the_reader_counts_it(
    since: datetime, until: datetime, short: str, long: str
) -> None:
    digest = replace(
        empty(),
        period=Period(kind="weekly", since=since, until=until),
        timezone=BERLIN,
    )

    assert subject(digest).endswith(short)
    assert text(digest).startswith(f"{long}. 0 bans,")


@pytest.mark.parametrize(
    "fact",
    [
        "Fri 2026-11-20, 00:00-24:00 UTC",
        "1,284 bans, 611 addresses, 9,730 failures",
        "2 of 3 hosts had bans.",
        "Day before: 1,198 bans, 590 addresses. Mailed singly: 37 bans; only in this "
        "digest: 1,240 bans; left out by your settings: 4 bans; mail refused: 3 bans.",
        "Left out as repeats of the same attack: 41 bans of recidive.",
        "Late: 1 ban was told of 15 minutes or more later, the oldest of 2026-11-18",
        "web1 : 198.51.100.20 was banned by nginx-http-auth at 2026-11-20 12:00. "
        "Possible lock-out: this address belongs to our office.",
        "fail2ban-client set nginx-http-auth unbanip 198.51.100.20",
        "2 requests of 203.0.113.9 for what CVE-2017-9841 opens were answered with "
        "200. Did it get in? f2b-enrich show 203.0.113.9",
        "3 mails were refused and given up: 3 to noc[@]alerts.example, 550 5.1.1 no",
        "f2b-enrich outbox list --state dead",
        "mail2 : jail dovecot found nothing since 2026-11-18 04:10. f2b-enrich check",
        "192.0.2.0/24 walks through user names in the order of the alphabet: 43 names",
        "9 addresses hit more than one service: 620 - 9 = 611",
        "2001:db8:5::/64 (9)",
        "AS64500 Example Hosting 58 (9.5% of 611)",
        "AS64502 Example Scan 41 (6.7% of 611, Example Scan scanner)",
        "68 more networks",
        "not known 12",
        "root 301, admin 188",
        "0 mails due, 3 refused, spool empty, 611 addresses looked up, 2 of them",
        "6 bans, 1 of them only repeats another, 1 of before that day.",
        "sshd: 4 bans of 3 addresses",
        "AS64500 Example Hosting: 198.51.100.7 (2), 198.51.100.21",
        "no known network: 2001:db8:5::7",
        "recidive: 1 ban of 1 address",
        "f2b-enrich bans list --since 2026-11-20 --until 2026-11-21",
        "daily digest, f2b-enrich 1.0 on web1.example.org",
    ],
)
def test_both_parts_tell_all(fact: str) -> None:
    shown = re.sub(r" ([.,:])", r"\1", words(KNOWN, "html"))

    assert fact.replace(" :", ":") in words(KNOWN)
    assert fact.replace(" :", ":") in shown


def test_tables_stand_in_columns() -> None:
    lines = text(KNOWN).splitlines()

    at = lines.index("SERVICE      bans  addresses  failures   most hit")
    assert lines[at + 1] == " ssh          771        402     6,012   web1 96"
    assert (
        " 192.0.2.7                        17     2  NL     AS64500 Example Hosting"
        in (lines)
    )
    assert max(map(len, lines)) <= 80


def test_what_to_look_at_comes_before_the_figures() -> None:
    shown = text(KNOWN)

    assert shown.index("LOOK AT") < shown.index("SERVICE") < shown.index("\nBANS")


def test_of_nothing_nothing_is_told() -> None:
    shown = text(empty())

    for label in (
        "LOOK AT",
        "SERVICE",
        "ADDRESS",
        "NETWORK",
        "NAMES",
        "before",
        "Late",
        "BANS",
    ):
        assert label not in shown
    assert not list(sent(empty()).iter_attachments())


def test_a_store_that_begins_later_says_nothing_of_before() -> None:
    period, day = KNOWN.period, timedelta(days=1)
    began = replace(KNOWN.figures, records_since=period.since)
    half = replace(KNOWN.figures, records_since=period.since - day / 2)

    assert "Day before: no records." in words(replace(KNOWN, figures=began))
    assert (
        "Day before: 1,198 bans, 590 addresses (records begin 2026-11-19 12:00)."
        in words(replace(KNOWN, figures=half))
    )


def test_many_jails_that_repeat_are_counted() -> None:
    repeats = tuple(NameCount(name=f"again{n}", count=2) for n in range(7))
    figures = replace(KNOWN.figures, repeats=repeats)

    shown = words(replace(KNOWN, figures=figures))

    assert "14 bans of again0, again1, again2, again3, again4, 2 more jails." in shown


def test_more_findings_than_anybody_reads_are_counted() -> None:
    digest = replace(KNOWN, lock_outs=(OURS,) * 13)

    assert subject(digest).endswith("; 17 to look at")
    assert "Possible lock-out" in words(digest)
    assert words(digest).count("Possible lock-out") == 10
    assert " 3 more SERVICE" in words(digest)


def test_an_address_of_many_jails_names_some() -> None:
    source = replace(KNOWN.figures.sources[0], jails=tuple("abcdef"), asn=None)
    alone = replace(source, name="192.0.2.99", bans=1)
    figures = replace(KNOWN.figures, sources=(source, alone))

    shown = words(replace(KNOWN, figures=figures))

    assert "17 2 NL Example Hosting a, b, c, d, 2 more" in shown
    assert "192.0.2.99" not in shown


def test_more_holes_than_anybody_reads_are_counted() -> None:
    [one] = KNOWN.answered
    cves = tuple(f"CVE-2017-{n}" for n in range(1000, 1006))
    typed = replace(one, ip="a\nb", cves=cves)

    shown = words(replace(KNOWN, answered=(typed,)))

    assert "CVE-2017-1002, CVE-2017-1003, 2 more opens were" in shown
    assert "f2b-enrich show" not in shown


def banned(count: int) -> tuple[FoldedBan, ...]:
    return tuple(a_ban(n, jail=f"jail{n % 3}") for n in range(count))


def test_a_few_bans_need_no_file() -> None:
    few, more = (replace(empty(), bans=banned(count)) for count in (50, 51))

    assert sent(few).get_content_type() == "multipart/alternative"
    assert "attached" not in words(few)
    message = sent(more)
    assert message.get_content_type() == "multipart/mixed"
    assert [row["id"] for row in table(message)] == [ban.id for ban in more.bans]
    assert "Each has a row in the attached bans.csv." in words(more)


def test_text_alone_brings_the_file_as_well() -> None:
    message = sent(replace(empty(), bans=banned(51)), "text")

    first, _ = message.iter_parts()
    assert first.get_content_type() == "text/plain"
    assert len(table(message)) == 51


@pytest.mark.parametrize("kind", ["plain", "html"])
def test_every_ban_is_named(kind: str) -> None:
    digest = replace(empty(), bans=banned(MOST_NAMED))

    named = re.findall(r"198\.51\.\d+\.\d+", body(sent(digest), kind))

    assert sorted(named) == sorted(ban.ip for ban in digest.bans)


@pytest.mark.parametrize("kind", ["plain", "html"])
def test_very_many_bans_are_counted_in_the_mail_and_named_in_the_file(
    kind: str,
) -> None:
    digest = many()
    shown = re.sub(r" ([.,:])", r"\1", words(digest, kind))

    assert "Too many to be named here" in shown
    assert not re.search(r"198\.51\.1", shown)
    assert {row["ip"] for row in table(sent(digest))} == {ban.ip for ban in digest.bans}
    counted = re.findall(r"(?:jail\d+|more jails): (\d+) bans? of", shown)
    assert sum(map(int, counted)) == len(digest.bans)
    (jail,) = re.findall(r"jail0: 17 bans of 17 addresses (.*?) jail1: ", shown)
    of_networks = re.findall(r": (\d+) bans? of", jail)
    assert sum(map(int, of_networks)) == 17


def test_programs_can_sort_it() -> None:
    message = sent(KNOWN)

    assert message["X-F2B-Digest"] == "daily"
    assert message["X-F2B-Host"] == "web1.example.org"
    assert message["List-Id"] == "<f2b-alerts.web1.example.org>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert "References" not in message


def test_the_page_loads_nothing_and_links_nowhere() -> None:
    page = body(sent(KNOWN), "html")

    assert not re.search(r"href|url\(|@import|src=|<img|<link|<script", page)
    assert '<meta name="color-scheme" content="light dark">' in page
    assert re.findall(r"<(h\d)", page) == ["h1", *["h2"] * 5, *["h3"] * 3, "h2"]


def test_addresses_stand_in_the_order_of_their_numbers() -> None:
    ips = ("b", "2001:db8::9", "198.51.100.10", "198.51.100.9", "198.51.100.9/32", "a")
    bans = tuple(replace(a_ban(1), ip=ip) for ip in ips)

    [jail], more = by_jail(bans)

    assert jail.networks[0].addresses == (
        *("198.51.100.9", "198.51.100.10", "2001:db8::9"),
        *("198.51.100.9/32", "a", "b"),
    )
    assert (jail.more, more) == ("", "")


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["sshd", "dovecot", "x"]),
            st.sampled_from([None, 64500, 64501]),
            st.integers(0, 40),
        ),
        max_size=60,
    )
)
def test_the_lists_add_up_to_the_bans(kinds: list[tuple[str, int | None, int]]) -> None:
    bans = tuple(
        replace(a_ban(number, jail=jail), asn=asn, as_name=None)
        for jail, asn, number in kinds
    )

    lists, _ = by_jail(bans)

    named = Counter(
        {
            (jail.jail, network.name, address.partition(" ")[0]): int(
                address.partition(" (")[2].removesuffix(")") or 1
            )
            for jail in lists
            for network in jail.networks
            for address in network.addresses
        }
    )
    assert named == Counter(
        (ban.jail, f"AS{ban.asn}" if ban.asn else "no known network", ban.ip)
        for ban in bans
    )
