"""The HTML part: the same facts, and nothing in it that an attacker wrote works."""

from __future__ import annotations

import re
import shlex
from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from f2b_enrich.mail.compose import subject
from f2b_enrich.mail.sample import unknown
from f2b_enrich.model import LogLine, Relation, Tally, TriedName
from tests.alerts import KNOWN as ALERT
from tests.reading import COMPOSER, part, read, sent, words

[WALK] = ALERT.campaigns
OURS = replace(ALERT, relation=None)
TAGS = {
    *("html", "head", "meta", "title", "style", "body", "main", "div", "h1", "h2", "p"),
    *("strong", "span", "table", "tr", "th", "td", "ul", "li", "code", "a", "br"),
}
ATTRIBUTES = {
    *("lang", "charset", "name", "content", "class", "style", "scope", "href"),
}


def test_one_mail_holds_both_the_better_part_last() -> None:
    message = sent(ALERT)

    assert message.get_content_type() == "multipart/alternative"
    assert [one.get_content_type() for one in message.iter_parts()] == [
        "text/plain",
        "text/html",
    ]
    assert all("MIME-Version" not in one for one in message.iter_parts())
    assert message["MIME-Version"] == "1.0"
    assert message["Subject"] == subject(ALERT)


def test_text_alone_is_a_mail_of_one_part() -> None:
    mail = COMPOSER.compose(ALERT, now=ALERT.ban.banned_at, form="text")

    assert mail.get_content_type() == "text/plain"


@pytest.mark.parametrize(
    "fact",
    [
        "192.0.2.7 banned on web1.example.org by jail sshd after 5 failures. 7th ban",
        "What SSH password guessing: 3 lines SSH protocol abuse (CVE-2024-6387): 1",
        "Last failure Sat 2026-11-21 19:14:03 UTC",
        "Planned end Sun 2026-11-22 19:14:03 UTC (1 day)",
        "Where Amsterdam, North Holland, Netherlands (city level",
        "Network AS64500 Example Hosting B.V., example.net; hosting: yes; VPN, Tor: no",
        "Name vps7.example.net (forward-confirmed)",
        "7 bans here: sshd 6, postfix-sasl 1; first 2026-09-30 19:14, previous 2026",
        "192.0.2.0/24, last 30 days: 4 other addresses, 16 bans (.9 8, .13 5, .40 2, ",
        "other hosts: mail1 3 bans, web2 1 ban; first there 2026-10-04",
        "192.0.2.0/24 walks through user names in the order of the alphabet: 43 names "
        "(aaron to zoe) in 12 bans of 5 addresses since 2026-11-02, last 2026-11-21",
        "Own records since 2024-03-02; 1 of the 7 imported",
        "3 of 4 lines that fail2ban handed over, within 41 seconds; links made",
        "from 192.0.2.7 (2 times)",
        "1 line left out",
        "Unban now fail2ban-client set sshd unbanip 192.0.2.7",
        "Everything f2b-enrich show 192.0.2.7",
        "IP address data powered by IPinfo",
    ],
)
def test_the_page_tells_what_the_text_tells(fact: str) -> None:
    assert fact in words(OURS)


def test_what_is_not_known_has_no_place_on_the_page() -> None:
    shown = words(unknown())

    for label in ("What SSH", "Network", "Name", "History", "Planned end"):
        assert label not in shown
    assert "No log lines: banned by hand" in shown


def test_the_page_loads_nothing_and_links_only_to_ipinfo() -> None:
    page = part(ALERT, "html")
    reader = read(ALERT)

    links = [value for name, value in reader.attributes if name == "href"]
    assert links == ["https://ipinfo.io/192.0.2.7"]
    assert not re.search(r"url\(|@import|src=|<img|<link|<script", page)
    assert '<meta name="color-scheme" content="light dark">' in page
    assert "prefers-color-scheme: dark" in page


def test_headings_are_headings_and_in_order() -> None:
    tags = [tag for tag in read(ALERT).tags if re.fullmatch(r"h\d", tag)]

    assert tags == ["h1", "h2", "h2", "h2", "h2"]


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4
        for one in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize(
    ("words", "ground"),
    [
        ("#1f2933", "#ffffff"), ("#1f2933", "#f1f3f5"), ("#52606d", "#ffffff"),
        ("#633806", "#fff4e0"), ("#633806", "#f1f3f5"), ("#1a4f8b", "#ffffff"),
        ("#e6eaee", "#1d232a"), ("#e6eaee", "#14181d"), ("#a9b4bf", "#1d232a"),
        ("#ffd9a0", "#3a2a10"), ("#8ab8f0", "#1d232a"),
    ],
)  # fmt: skip
def test_the_colours_can_be_told_apart(words: str, ground: str) -> None:
    page = part(ALERT, "html")

    assert words in page
    assert ground in page
    assert contrast(words, ground) >= 4.5  # WCAG 2.2, 1.4.3, level AA


hostile = st.one_of(
    st.text(max_size=300),
    st.binary(max_size=300).map(lambda raw: raw.decode("utf-8", "surrogateescape")),
    st.sampled_from(
        [
            "a\r\nBcc: x@corp.example\r\n\r\nbody",
            "=?utf-8?q?=0D=0ABcc=3A?=",
            "</td></style></code><script>alert(1)</script>",
            "\" onmouseover=x href='http://1.1.1.1/' ",
            "<a href=http://1.1.1.1/>x</a><img src=//b.example/x>",
            "&lt;b&gt;&#60;i&#62;",
            "{{ 7 * 7 }}{% raw %}",
            "]]><!-- <?php -->",
            "a@b.example www.b.example",
            "https://anna:pw@192.0.2.1/?token=x" * 30,
            "<" * 1000,
        ]
    ),
)


@settings(max_examples=100, deadline=None)
@given(
    names=st.tuples(hostile, hostile, hostile),
    facts=st.tuples(hostile, hostile, hostile, hostile),
    log=st.lists(hostile, max_size=8),
    others=st.tuples(hostile, hostile, hostile),
    is_repeat=st.booleans(),
)
@example(
    names=("<",) * 3, facts=("<",) * 4, log=["<"], others=("<",) * 3, is_repeat=True
)
def test_no_value_becomes_markup_or_a_header(
    names: tuple[str, str, str],
    facts: tuple[str, str, str, str],
    log: list[str],
    others: tuple[str, str, str],
    is_repeat: bool,  # noqa: FBT001 - Hypothesis names it
) -> None:
    ip, jail, host = names
    found, past = ALERT.enrichment, ALERT.history
    assert found is not None
    assert past is not None
    values = dict(zip(("as_name", "hostname", "city", "country"), facts, strict=True))
    tally = [Tally(name=name, bans=1, first_at=past.first_at) for name in others]
    alert = replace(
        ALERT,
        ban=replace(ALERT.ban, ip=ip, jail=jail, host=host),
        enrichment=replace(found, country_code=facts[0], **values),  # type: ignore[arg-type]
        lines=tuple(LogLine(position=at, line=line) for at, line in enumerate(log)),
        history=replace(past, jails=(tally[0],), other_hosts=(tally[1], tally[2])),
        relation=Relation(kind="friend", name=others[0], why=others[1]),
        names=tuple(TriedName(name=name, lines=0, is_account=False) for name in others),
        repeated=replace(ALERT.ban, jail=others[0]) if is_repeat else None,
        campaigns=(replace(WALK, who=ip, first_name=others[1], last_name=others[2]),),
    )

    reader = read(alert)

    assert set(reader.tags) <= TAGS
    assert {name for name, _ in reader.attributes} <= ATTRIBUTES
    assert not reader.others
    links = [value for name, value in reader.attributes if name == "href"]
    assert all((link or "").startswith("https://ipinfo.io/") for link in links)
    shown = "".join(reader.text)
    assert all(char.isprintable() or char == "\n" for char in shown)
    typed = f"fail2ban-client set {shlex.quote(jail)} "
    rest = shown.replace("https://ipinfo.io/", "").replace(typed, "")
    assert not re.search(r"https?://|www\.\S|[a-z]@[a-z]+\.[a-z]", rest, re.IGNORECASE)
    message = sent(alert)
    assert len(set(message.keys())) == len(message.keys())
    assert "Bcc" not in message
    assert all(str(value).strip() for value in message.values())
    assert all(str(value).isprintable() for value in message.values())
