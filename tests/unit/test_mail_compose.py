"""An alert as one mail: its text, its headers, and nothing that breaks its form."""

from __future__ import annotations

import re
import shlex
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from f2b_enrich.errors import AddressError
from f2b_enrich.mail.subject import subject
from f2b_enrich.model import LogLine
from tests.alerts import ALERT, CITY, T, an_alert
from tests.reading import COMPOSER, content_of, sent, text


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
  Nov 21 20:13:22 web1 sshd[4021]: Failed password for root from 192.0.2.7 (2 times)

DO      unban now       fail2ban-client set sshd unbanip 192.0.2.7
        never again     add 192.0.2.7 to ignoreip in /etc/fail2ban/jail.local
        everything      f2b-enrich show 192.0.2.7
        on the web      https://ipinfo.io/192.0.2.7
SOURCES place, network: IPinfo; name: DNS;
        looked up Sat 2026-11-21 20:14:04 CET; IP address data powered by IPinfo
        ban 304dbcbe, f2b-enrich 1.0 on web1.example.org
"""
    )


def test_the_headers_are_ours_and_in_order() -> None:
    message = sent(ALERT, "text")

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
    message = sent(an_alert(recipient="root", sender="root"), "text")

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

    message = sent(an_alert(recipient=recipient, message_id=message_id), "text")

    assert message["To"] == recipient
    assert message["Message-ID"] == message_id


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

    message = sent(alert, "text")

    body = content_of(message)
    assert all(char.isprintable() or char == "\n" for char in body)
    assert message["Subject"] == subject(alert)
    assert subject(alert).isprintable()
    typed = body.replace(f"fail2ban-client set {shlex.quote(jail)} ", "")
    assert "http://1.1" not in typed
    assert not re.search(r"\w@\w+\.\w", typed)
    starts = re.findall("^(?:WHAT|WHERE|LOG|DO|SOURCES) ", body, re.MULTILINE)
    assert len(starts) >= 5
