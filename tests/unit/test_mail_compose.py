from __future__ import annotations

import re
import shlex
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any, Literal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from f2b_enrich.errors import AddressError
from f2b_enrich.mail.compose import Alert, Composer, subject
from f2b_enrich.mail.wording import moment, ordinal, span
from f2b_enrich.model import Ban, Enrichment, LogLine

STRICT = SMTP.clone(raise_on_defect=True)
HEADERS = [
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "Auto-Submitted",
]
SORTING = {
    "In-Reply-To",
    "References",
    "List-Id",
    "X-F2B-Host",
    "X-F2B-Jail",
    "X-F2B-Address",
    "X-F2B-Ban",
    "X-F2B-Country",
    "X-F2B-ASN",
}
FORM = {"Content-Type", "Content-Transfer-Encoding", "MIME-Version"}
T = datetime(2026, 11, 21, 19, 14, 3, tzinfo=UTC)
LINE = "2026-11-21T20:13:22 web1 sshd[4021]: Failed password for root from 192.0.2.7"
COMPOSER = Composer()

BAN = Ban(
    id="5f0c2a9e-1d0c-5c55-9d5c-0a1b2c3d4e5f",
    host="web1.example.org",
    jail="sshd",
    ip="192.0.2.7",
    ip_version=4,
    subnet="192.0.2.0/24",
    banned_at=T,
    banned_at_source="failure",
    bantime_seconds=86_400,
    expires_at=T + timedelta(days=1),
    unbanned_at=None,
    failures=5,
    ban_count=7,
    received_at=T,
    lines_received=2,
)
CITY = Enrichment(
    ip="192.0.2.7",
    looked_up_at=T + timedelta(seconds=1),
    source="IPinfo, DNS",
    field_sources={
        "country_code": "IPinfo",
        "city": "IPinfo",
        "latitude": "IPinfo",
        "asn": "IPinfo",
        "hostname": "DNS",
    },
    hostname="vps7.example.net",
    hostname_confirmed=True,
    country_code="NL",
    country="Netherlands",
    region="North Holland",
    city="Amsterdam",
    latitude=52.4,
    longitude=4.9,
    location_precision="city",
    asn=64500,
    as_name="Example Hosting B.V.",
    as_domain="example.net",
    is_hosting=True,
    is_vpn=False,
    is_tor=False,
)
COUNTRY = Enrichment(
    ip="192.0.2.7",
    looked_up_at=T,
    source="IPinfo Lite 2026-10",
    field_sources={"country_code": "IPinfo Lite 2026-10", "latitude": "elsewhere"},
    country_code="BR",
    country="Brazil",
    latitude=-10.0,
    longitude=-55.0,
    location_precision="country",
)
ALERT = Alert(
    ban=BAN,
    enrichment=CITY,
    lines=(LogLine(position=0, line=LINE), LogLine(position=1, line=LINE)),
    recipient="noc@corp.example",
    sender="root@web1.example.org",
    message_id="<alert.0.5f0c2a9e@web1.example.org>",
    nth=7,
    bantime_known=True,
    version="1.0",
    timezone=ZoneInfo("Europe/Amsterdam"),
)


def an_alert(*, ban: dict[str, Any] | None = None, **changes: Any) -> Alert:
    return replace(ALERT, ban=replace(BAN, **(ban or {})), **changes)


def lines(*positions: int) -> tuple[LogLine, ...]:
    return tuple(LogLine(position=at, line=f"line {at}") for at in positions)


def composed(alert: Alert, form: Literal["both", "text"] = "text") -> EmailMessage:
    """Send the mail through the wire's form and read it back, every defect an error."""
    now = T + timedelta(seconds=4)
    raw = COMPOSER.compose(alert, now=now, form=form).as_bytes()
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert b"\r" not in raw.replace(b"\r\n", b"")
    assert raw.isascii()
    message = message_from_bytes(raw, policy=STRICT)
    names = list(message.keys())
    assert names[: len(HEADERS)] == HEADERS
    assert len(set(names)) == len(names)
    assert set(names) <= {*HEADERS, *SORTING, *FORM}
    assert all(str(value).strip() for value in message.values())
    return message


def text(alert: Alert) -> str:
    return body_of(composed(alert))


def body_of(message: EmailMessage) -> str:
    content = message.get_content()
    assert isinstance(content, str)
    return content.replace("\r\n", "\n")


def test_the_whole_mail_reads_like_this() -> None:
    assert (
        text(ALERT)
        == """\
192.0.2.7 was banned on web1.example.org by jail sshd after 5 failures.
7th ban here.

WHAT    last failure  Sat 2026-11-21 20:14:03 CET
        planned end   Sun 2026-11-22 20:14:03 CET (1 day)
WHERE   Amsterdam, North Holland, Netherlands
        (city level, the machine not the person)
NETWORK AS64500 Example Hosting B.V., example.net; hosting: yes; VPN, Tor: no
NAME    vps7.example.net (forward-confirmed)
YOURS?  no: not an own, friend, CDN or crawler address

LOG     all 2 lines that fail2ban handed over; links made harmless
  2026-11-21T20:13:22 web1 sshd[4021]: Failed password for root from 192.0.2.7 (2 times)

DO      unban now       fail2ban-client set sshd unbanip 192.0.2.7
        never again     add 192.0.2.7 to ignoreip in /etc/fail2ban/jail.local
        everything      f2b-enrich show 192.0.2.7
        on the web      https://ipinfo.io/192.0.2.7
SOURCES place, network: IPinfo; name: DNS;
        looked up Sat 2026-11-21 20:14:04 CET; IP address data powered by IPinfo
        ban 5f0c2a9e, f2b-enrich 1.0 on web1.example.org
"""
    )


def test_the_headers_are_ours_and_in_order() -> None:
    message = composed(ALERT)

    assert message["From"] == "root@web1.example.org"
    assert message["To"] == "noc@corp.example"
    assert message["Date"] == "Sat, 21 Nov 2026 20:14:07 +0100"
    assert message["Message-ID"] == ALERT.message_id
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Content-Transfer-Encoding"] == "7bit"
    assert message.get_content_type() == "text/plain"
    assert message.get_content_charset() == "utf-8"
    assert message["Subject"] == (
        "[fail2ban] web1 sshd: banned 192.0.2.7 "
        "(NL, AS64500 Example Hosting B.V.), 7th ban"
    )


def test_bare_names_get_the_hosts_domain_in_headers() -> None:
    message = composed(an_alert(recipient="root", sender="root"))

    assert message["To"] == message["From"] == "root@web1.example.org"


@pytest.mark.parametrize("address", ["", "a b@corp.example", "a\r\nBcc: b", "\u00fc@a"])
def test_an_address_that_cannot_stand_in_a_header_is_an_error(address: str) -> None:
    with pytest.raises(AddressError):
        COMPOSER.compose(an_alert(recipient=address), now=T)
    with pytest.raises(AddressError):
        COMPOSER.compose(an_alert(sender=address), now=T)


def test_long_addresses_and_ids_are_not_broken() -> None:
    recipient = "a" * 64 + "@" + ".".join(["b" * 60] * 3)
    message_id = "<alert.0." + "c" * 200 + "@web1>"

    message = composed(an_alert(recipient=recipient, message_id=message_id))

    assert message["To"] == recipient
    assert message["Message-ID"] == message_id


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (1, "1st"), (2, "2nd"), (3, "3rd"), (4, "4th"), (11, "11th"), (12, "12th"),
        (13, "13th"), (21, "21st"), (101, "101st"), (111, "111th"), (112, "112th"),
        (122, "122nd"),
    ],
)  # fmt: skip
def test_ordinals(number: int, expected: str) -> None:
    assert ordinal(number) == expected
    assert subject(an_alert(nth=number)).endswith(f", {expected} ban")


@pytest.mark.parametrize(
    ("nth", "expected"),
    [(1, "First ban here."), (2, "2nd ban here."), (0, "failures.")],
)
def test_the_first_sentence_counts_bans(nth: int, expected: str) -> None:
    first, *_ = text(an_alert(nth=nth)).partition("\n\n")

    assert first.endswith(expected)


def test_a_subject_leaves_out_what_is_not_known() -> None:
    assert subject(an_alert(enrichment=None, nth=0)) == (
        "[fail2ban] web1 sshd: banned 192.0.2.7"
    )
    assert subject(an_alert(enrichment=COUNTRY)).endswith("192.0.2.7 (BR), 7th ban")
    only_name = replace(COUNTRY, country_code=None, as_name="Example")
    assert subject(an_alert(enrichment=only_name)).endswith("(Example), 7th ban")
    only_number = replace(COUNTRY, country_code=None, asn=64500)
    assert subject(an_alert(enrichment=only_number)).endswith("(AS64500), 7th ban")


def test_a_long_subject_is_cut_at_a_word() -> None:
    found = replace(CITY, as_name="Example Telecommunications and Internet, Limited")
    alert = an_alert(enrichment=found, ban={"host": "h" * 60, "jail": "j" * 60})

    said = subject(alert)

    assert "AS64500 Example Telecommunications and..." in said
    assert len(said) < 200
    assert composed(alert)["Subject"] == said


@pytest.mark.parametrize("host", ["192.0.2.1", "2001:db8::1", ".", "web1"])
def test_a_host_without_a_domain_is_named_whole(host: str) -> None:
    assert f"] {host} sshd:" in subject(an_alert(ban={"host": host}))


@pytest.mark.parametrize(
    "jail",
    [
        "=?utf-8?q?=41?=",
        "a =?utf-8?b?QQ==?= b",
        "=?",
        "\u00e9\u4e2d" * 15,
        "s\r\nBcc: a@b",
        "a\u2028b",
        "x" * 40,
    ],
)
def test_a_reader_sees_the_subject_letter_for_letter(jail: str) -> None:
    alert = an_alert(ban={"jail": jail})

    assert composed(alert)["Subject"] == subject(alert)


@pytest.mark.parametrize(
    ("ban", "known", "expected"),
    [
        ({}, True, "planned end   Sun 2026-11-22 20:14:03 CET (1 day)"),
        ({}, False, "planned end   at least Sun 2026-11-22 20:14:03 CET (1 day)"),
        (
            {"bantime_seconds": -1, "expires_at": None},
            False,
            "planned end   none, banned for ever",
        ),
        (
            {"bantime_seconds": 10**12, "expires_at": None},
            True,
            "planned for   11,574,074 days 1 hour",
        ),
        (
            {"unbanned_at": T + timedelta(seconds=2)},
            True,
            "unbanned      Sat 2026-11-21 20:14:05 CET",
        ),
        ({"banned_at_source": "logged"}, True, "banned        Sat 2026-11-21 20:14:03"),
    ],
)
def test_the_times_of_a_ban(
    ban: dict[str, Any],
    known: bool,  # noqa: FBT001 - a column of the table above
    expected: str,
) -> None:
    assert expected in text(an_alert(ban=ban, bantime_known=known))


def test_a_ban_time_that_is_not_known_is_left_out() -> None:
    body = text(an_alert(ban={"bantime_seconds": None, "expires_at": None}))

    assert "planned" not in body
    assert "last failure" in body


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0, "0 seconds"),
        (1, "1 second"),
        (600, "10 minutes"),
        (90_061, "1 day 1 hour"),
        (604_800, "7 days"),
    ],
)
def test_spans(seconds: int, expected: str) -> None:
    assert span(seconds) == expected


def test_moments_name_their_zone() -> None:
    no_letters = timezone(timedelta(hours=3), "+03")
    last = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)

    assert moment(T, UTC) == "Sat 2026-11-21 19:14:03 UTC"
    assert moment(T, no_letters) == "Sat 2026-11-21 22:14:03 UTC+03"
    assert moment(last, no_letters) == "Fri 9999-12-31 23:59:59 UTC"


def test_a_ban_by_hand_claims_no_failures_and_no_lines() -> None:
    body = text(an_alert(ban={"failures": 0, "lines_received": 0}, lines=()))

    assert body.startswith(
        "192.0.2.7 was banned on web1.example.org by hand, in jail sshd. 7th ban here."
    )
    assert "LOG     no log lines: banned by hand\n" in body
    assert "banned        Sat 2026-11-21" in body
    assert "failure" not in body


def test_failures_without_lines_are_said_to_be_so() -> None:
    body = text(an_alert(ban={"failures": 1, "lines_received": 0}, lines=()))

    assert "after 1 failure." in body
    assert "LOG     no log lines: fail2ban handed over none\n" in body


@pytest.mark.parametrize(
    ("positions", "handed_over", "heading", "gaps"),
    [
        (range(1), 1, "the only line that fail2ban", []),
        (range(40), 40, "all 40 lines that fail2ban", []),
        (range(40), 0, "all 40 lines that fail2ban", []),
        (range(41), 41, "first 20 and last 20 of 41 lines", ["1 line"]),
        (
            range(1500),
            1500,
            "first 20 and last 20 of 1500 lines",
            ["1,460 lines"],
        ),
        (
            [*range(20), *range(80, 100)],
            100,
            "first 20 and last 20 of 100",
            ["60 lines"],
        ),
        (range(5), 9, "5 of 9 lines", ["4 lines"]),
        ([3, 5], 7, "2 of 7 lines", ["3 lines", "1 line", "1 line"]),
    ],
)
def test_the_log_says_what_of_it_is_shown(
    positions: list[int], handed_over: int, heading: str, gaps: list[str]
) -> None:
    alert = an_alert(ban={"lines_received": handed_over}, lines=lines(*positions))

    body = text(alert)

    assert f"LOG     {heading}" in body
    assert re.findall(r"^  \.\.\. (.*) left out \.\.\.$", body, re.MULTILINE) == gaps
    assert len(re.findall(r"^  line \d+$", body, re.MULTILINE)) <= 40


def test_a_log_line_is_cut_and_made_harmless() -> None:
    line = "GET http://1.1.1.1/x www.a.b \x1b[31m\u202e" + "a" * 300

    body = text(an_alert(lines=(LogLine(position=0, line=line),)))

    assert "links made harmless, cut at 200 characters " in " ".join(body.split())
    assert "\n  GET hxxp://1[.]1[.]1[.]1/x www[.]a[.]b \u241b[31m\ufffda" in body
    assert "a" * 200 not in body


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (
            COUNTRY,
            "WHERE   Brazil\n        "
            "(country level: a map shows the country's centre, not the machine)",
        ),
        (replace(COUNTRY, country=None), "WHERE   BR (country level: "),
        (replace(COUNTRY, location_precision=None), "WHERE   Brazil\nYOURS?"),
        (replace(CITY, region="Amsterdam"), "WHERE   Amsterdam, Netherlands (city"),
        (replace(CITY, hostname_confirmed=None), "NAME    vps7.example.net\n"),
        (
            replace(CITY, scanner="Shodan"),
            "SCANNER Shodan (scans the whole internet, not you alone)\n",
        ),
        (
            replace(CITY, hostname_confirmed=False),
            "vps7.example.net\n        (not conf",
        ),
        (replace(CITY, asn=None), "NETWORK Example Hosting B.V., example.net; hosting"),
        (replace(CITY, is_hosting=None, is_vpn=None, is_tor=None), "example.net\nNAME"),
        (replace(COUNTRY, complete=False), "not every source answered; "),
        (
            replace(COUNTRY, country_code=None, country=None, field_sources={}),
            "WHERE   not known\n",
        ),
        (
            replace(
                COUNTRY,
                country_code=None,
                country=None,
                field_sources={},
                complete=False,
            ),
            "WHERE   not known, a source did not answer\n",
        ),
    ],
)
def test_the_place_is_as_precise_as_it_is_known(
    found: Enrichment, expected: str
) -> None:
    assert expected in text(an_alert(enrichment=found))


def test_facts_that_are_not_known_are_left_out() -> None:
    body = text(an_alert(enrichment=COUNTRY))

    assert "NETWORK" not in body
    assert "NAME" not in body
    assert "elsewhere" not in body


def test_ipinfo_is_credited_only_for_what_it_gave() -> None:
    credit = "IP address data powered by IPinfo"
    other = replace(COUNTRY, field_sources={"country": "another database"})

    assert credit in text(an_alert(enrichment=COUNTRY))
    assert credit not in text(an_alert(enrichment=other))
    assert credit not in text(an_alert(enrichment=None))


def test_an_address_that_is_not_asked_about_says_why() -> None:
    private = Enrichment(
        ip="10.0.0.1",
        looked_up_at=T,
        source="none",
        raw={"not looked up": "private address"},
    )

    body = text(an_alert(enrichment=private, ban={"ip": "10.0.0.1"}))

    assert "WHERE   not looked up: private address\n" in body
    assert "SOURCES fail2ban only\n" in body
    assert "ipinfo.io" not in body


@pytest.mark.parametrize(
    ("ip", "place", "has_page"),
    [
        ("192.0.2.7", "not looked up yet", True),
        ("2001:db8::7", "not looked up yet", True),
        ("fe80::1%eth0", "not looked up yet", False),
        ("198.51.100.0/24", "not looked up: a network, not an address", False),
        ("vps7.example.net", "not looked up: not an address", False),
        ("notanip!", "not looked up: not an address", False),
    ],
)
def test_whatever_was_banned_reads_well_without_a_look_up(
    ip: str,
    place: str,
    has_page: bool,  # noqa: FBT001 - a column of the table above
) -> None:
    body = text(an_alert(enrichment=None, ban={"ip": ip}))

    assert body.startswith(f"{ip} was banned on ")
    assert f"WHERE   {place}\n" in body
    assert (f"https://ipinfo.io/{ip}\n" in body) is has_page


def test_commands_are_quoted_for_a_shell() -> None:
    body = text(an_alert(ban={"ip": "$(reboot)", "jail": "my jail"}))

    assert "fail2ban-client set 'my jail' unbanip '$(reboot)'\n" in body
    assert "f2b-enrich show '$(reboot)'\n" in body


@pytest.mark.parametrize(
    "ban", [{"ip": "a\nb"}, {"jail": "a\x1bb"}, {"ip": "http://1.1.1.1"}]
)
def test_a_command_that_would_be_shown_wrong_is_not_shown(ban: dict[str, Any]) -> None:
    body = text(an_alert(ban=ban))

    assert "fail2ban-client" not in body
    assert "unban now       by hand" in body


hostile = st.one_of(
    st.text(max_size=300),
    st.binary(max_size=300).map(lambda raw: raw.decode("utf-8", "surrogateescape")),
    st.sampled_from(
        [
            "a\r\nBcc: x@corp.example\r\n\r\nbody",
            "=?utf-8?q?=0D=0ABcc=3A?=",
            "{{ 7 * 7 }}{% raw %}",
            "\u2028\u0085\x1b]0;t\x07",
            ".\r\n.\r\nQUIT",
            "http://1.1.1.1/" * 200,
            "<a href='http://1.1.1.1'>x</a><script>",
            "a@b.example www.b.example",
            "x" * 5000,
        ]
    ),
)


@settings(max_examples=150, deadline=None)
@given(
    names=st.tuples(hostile, hostile, hostile),
    log=st.lists(hostile, max_size=50),
    facts=st.tuples(hostile, hostile, hostile, hostile),
)
def test_nothing_hostile_changes_the_form_of_a_mail(
    names: tuple[str, str, str], log: list[str], facts: tuple[str, str, str, str]
) -> None:
    ip, jail, host = names
    as_name, hostname, city, source = facts
    found = replace(
        CITY,
        as_name=as_name,
        hostname=hostname,
        city=city,
        field_sources={"city": source, "asn": "IPinfo"},
    )
    alert = an_alert(
        enrichment=found,
        ban={"ip": ip, "jail": jail, "host": host},
        lines=tuple(LogLine(position=i, line=line) for i, line in enumerate(log)),
    )

    message = composed(alert)

    body = body_of(message)
    assert all(char.isprintable() or char == "\n" for char in body)
    assert message["Subject"] == subject(alert)
    assert subject(alert).isprintable()
    typed = body.replace(f"fail2ban-client set {shlex.quote(jail)} ", "")
    assert "http://1.1" not in typed
    assert not re.search(r"\w@\w+\.\w", typed)
    starts = re.findall("^(?:WHAT|WHERE|LOG|DO|SOURCES) ", body, re.MULTILINE)
    assert len(starts) >= 5


def test_each_time_has_the_summer_time_of_its_own_date(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    try:
        summer = moment(datetime(2026, 10, 20, 12, tzinfo=UTC), None)
        winter = moment(datetime(2026, 11, 19, 12, tzinfo=UTC), None)
    finally:
        monkeypatch.undo()
        time.tzset()
    assert summer == "Tue 2026-10-20 14:00:00 CEST"
    assert winter == "Thu 2026-11-19 13:00:00 CET"


def test_the_same_line_in_a_row_is_shown_once() -> None:
    same = ["a", "a ", "a", "b", "a"]
    log = tuple(LogLine(position=at, line=line) for at, line in enumerate(same))

    body = text(an_alert(lines=log, ban={"lines_received": 5}))

    assert "all 5 lines that fail2ban" in body
    assert "\n  a (3 times)\n  b\n  a\n" in body


def test_lines_between_which_some_are_missing_are_not_put_together() -> None:
    log = (LogLine(position=0, line="a"), LogLine(position=2, line="a"))

    body = text(an_alert(lines=log, ban={"lines_received": 3}))

    assert "LOG     2 of 3 lines" in body
    assert "\n  a\n  ... 1 line left out ...\n  a\n" in body


def test_a_secret_is_masked_even_where_its_line_is_cut() -> None:
    line = "x" * 180 + " http://anna:" + "s3cret" * 30 + "@192.0.2.7/?token=s3cret"

    body = text(an_alert(lines=(LogLine(position=0, line=line),)))

    assert "hxxp://anna:***" in body
    assert "s3cret" not in body
