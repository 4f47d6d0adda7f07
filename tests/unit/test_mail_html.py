"""The HTML part: the same facts, and nothing in it that an attacker wrote works."""

from __future__ import annotations

import re
import shlex
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes
from email.policy import SMTP
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from f2b_enrich.mail.compose import Composer, subject
from f2b_enrich.mail.sample import known, unknown
from f2b_enrich.model import LogLine, Relation, Tally, TriedName

if TYPE_CHECKING:
    from email.message import EmailMessage

    from f2b_enrich.mail.alert import Alert

STRICT = SMTP.clone(raise_on_defect=True)
COMPOSER = Composer()
ALERT = known()
OURS = replace(ALERT, relation=None)
TAGS = {
    *("html", "head", "meta", "title", "style", "body", "main", "div", "h1", "h2", "p"),
    *("strong", "span", "table", "tr", "th", "td", "ul", "li", "code", "a", "br"),
}
ATTRIBUTES = {
    *("lang", "charset", "name", "content", "class", "style", "scope", "href"),
}


class Reader(HTMLParser):
    """Reads as a browser does: what is markup, and what is only text."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text: list[str] = []
        self.others: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        if self.tags[-1:] != ["style"]:
            self.text.append(data)

    def handle_comment(self, data: str) -> None:
        self.others.append(data)

    def handle_pi(self, data: str) -> None:
        self.others.append(data)


def sent(alert: Alert) -> EmailMessage:
    mail = COMPOSER.compose(alert, now=alert.ban.banned_at, form="both")
    raw = mail.as_bytes()
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    assert raw.isascii()
    assert b"\n" not in raw.replace(b"\r\n", b"")
    return message_from_bytes(raw, policy=STRICT)


def part(alert: Alert, kind: str) -> str:
    for found in sent(alert).iter_parts():
        if found.get_content_subtype() == kind:
            content = found.get_content()
            assert isinstance(content, str)
            return content.replace("\r\n", "\n")
    raise AssertionError(kind)


def read(alert: Alert) -> Reader:
    reader = Reader()
    reader.feed(part(alert, "html"))
    reader.close()
    return reader


def words(alert: Alert) -> str:
    return " ".join(" ".join(read(alert).text).split())


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
        "Last failure Sat 2026-11-21 19:14:03 UTC",
        "Planned end Sun 2026-11-22 19:14:03 UTC (1 day)",
        "Where Amsterdam, North Holland, Netherlands (city level",
        "Network AS64500 Example Hosting B.V., example.net; hosting: yes; VPN, Tor: no",
        "Name vps7.example.net (forward-confirmed)",
        "7 bans here: sshd 6, postfix-sasl 1; first 2026-09-30 19:14, previous 2026",
        "192.0.2.0/24, last 30 days: 4 other addresses, 16 bans (.9 8, .13 5, .40 2, ",
        "other hosts: mail1 3 bans, web2 1 ban; first there 2026-10-04",
        "Own records since 2024-03-02; 1 of the 7 imported",
        "3 of 4 lines that fail2ban handed over, within 41 seconds; links made harmless",
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

    for label in ("Network", "Name", "History", "Planned end"):
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


@pytest.mark.parametrize("kind", ["own", "friend"])
def test_a_possible_lock_out_begins_with_the_way_out(kind: str) -> None:
    alert = replace(
        ALERT,
        relation=Relation(kind=kind, name="our office", why="friends.toml"),  # type: ignore[arg-type]
    )

    assert subject(alert).startswith(
        "[fail2ban] possible lock-out: web1 sshd: banned 192.0.2.7 (NL, "
    )
    first = "fail2ban-client set sshd unbanip 192.0.2.7"
    assert part(alert, "plain").startswith(f"{first}\n\nPossible lock-out: this ")
    assert words(alert).index(first) < words(alert).index("Possible lock-out")
    assert "our office (friends.toml)" in words(alert)


def test_a_banned_proxy_says_what_to_set() -> None:
    alert = replace(ALERT, relation=Relation(kind="cdn", name="Example", why="list"))

    assert "] possible lock-out: " in subject(alert)
    assert part(alert, "plain").startswith("fail2ban-client set sshd unbanip ")
    for shown in (words(alert), " ".join(part(alert, "plain").split())):
        assert "this is a proxy of Example, not the attacker" in shown
        assert "you are banning your proxy and everybody" in shown
        assert "set_real_ip_from and real_ip_header" in shown


def test_a_banned_crawler_is_named() -> None:
    alert = replace(ALERT, relation=Relation(kind="crawler", name="Ex", why="DNS"))

    assert "] possible lock-out: " in subject(alert)
    assert "Possible lock-out: this is the crawler of Ex.\n" in part(alert, "plain")
    assert "YOURS?  an address of a crawler: Ex (DNS)\n" in part(alert, "plain")


def test_what_is_banned_by_name_is_nobodys_address() -> None:
    alert = replace(ALERT, ban=replace(ALERT.ban, ip="notanip"), relation=None)

    assert "YOURS?" not in part(alert, "plain")


@pytest.mark.parametrize(
    ("jail", "ip", "line"),
    [
        ("www.example.org-auth", "192.0.2.7", "set www.example.org-auth unbanip"),
        ("x?key=1", "192.0.2.7", "set 'x?key=1' unbanip 192.0.2.7"),
        ("it's", "192.0.2.7", "set 'it'\"'\"'s' unbanip 192.0.2.7"),
        # An attacker's words may be shown otherwise, or be an option.
        ("sshd", "www.example.org", None),
        ("sshd", "--help", None),
        ("-x", "192.0.2.7", None),
        ("a" * 201, "192.0.2.7", None),
    ],
)
def test_a_command_can_be_typed_as_it_is_shown(
    jail: str, ip: str, line: str | None
) -> None:
    alert = replace(ALERT, ban=replace(ALERT.ban, jail=jail, ip=ip), relation=None)

    for shown in (part(alert, "plain"), words(alert)):
        if line is None:
            assert "fail2ban-client set" not in shown
            assert "by hand: jail or address cannot be shown" in shown
        else:
            assert f"fail2ban-client {line}" in shown


@pytest.mark.parametrize(
    "ip", ["203.0.113.0/24", "2001:db8:1111:2222:3333:4444:5555:6"]
)
def test_no_line_of_the_text_is_wider_than_a_terminal(ip: str) -> None:
    alert = replace(ALERT, ban=replace(ALERT.ban, ip=ip), lines=())

    wide = [line for line in part(alert, "plain").splitlines() if len(line) > 80]

    assert [line for line in wide if "unban now" not in line] == []
    assert "never again     add" in part(alert, "plain")


def test_lines_that_were_purged_are_no_longer_kept() -> None:
    alert = replace(ALERT, lines=())
    assert alert.ban.lines_received

    assert "no log lines: no longer kept" in part(alert, "plain")
    assert "No log lines: no longer kept" in words(alert)


def test_a_lock_out_whose_command_cannot_be_shown_still_warns() -> None:
    alert = replace(ALERT, ban=replace(ALERT.ban, jail="a\nb"))

    assert part(alert, "plain").startswith("Possible lock-out: ")
    assert "fail2ban-client" not in part(alert, "html")
    assert "Unban by hand" in words(alert)


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
)
@example(names=("<",) * 3, facts=("<",) * 4, log=["<"], others=("<",) * 3)
def test_no_value_becomes_markup_or_a_header(
    names: tuple[str, str, str],
    facts: tuple[str, str, str, str],
    log: list[str],
    others: tuple[str, str, str],
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


def test_names_that_were_tried_are_told_and_accounts_marked() -> None:
    tried = [("root", True), ("a b", False), ("<x>", False), ("y" * 60, False)]
    many = [(f"n{number}", False) for number in range(10)]
    alert = replace(
        ALERT,
        names=tuple(
            TriedName(name=name, lines=1, is_account=known)
            for name, known in (*tried, *many)
        ),
    )

    text = " ".join(part(alert, "plain").split())
    listed = (
        f"root*, a b, <x>, {'y' * 39}\u2026, n0, n1, n2, n3, n4, n5, n6, n7, 2 more"
    )
    assert f"NAMES {listed} (* this account exists on web1.example.org)" in text
    assert f"Names {listed} (* this account exists on" in words(alert)


def test_without_an_account_there_is_no_star_to_explain() -> None:
    alert = replace(ALERT, names=(TriedName(name="x", lines=1, is_account=False),))

    assert "\nNAMES   x\n" in part(alert, "plain")
    assert "account" not in words(alert)


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (41, "handed over, within 41 seconds; links"),
        (0.4, "handed over, in the same second; links"),
        (None, "handed over; links"),
    ],
)
def test_the_log_says_how_much_time_it_took(seconds: float | None, told: str) -> None:
    taken = None if seconds is None else timedelta(seconds=seconds)
    alert = replace(ALERT, span=taken)

    assert told in " ".join(part(alert, "plain").split())
    assert told in words(alert)
