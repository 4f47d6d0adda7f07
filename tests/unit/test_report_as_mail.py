from __future__ import annotations

from dataclasses import replace
from datetime import UTC

import pytest

from f2b_enrich.report import as_text
from f2b_enrich.report.as_mail import subject
from f2b_enrich.report.figures import Filter
from tests.digest_mail import body
from tests.hostile import UNSEEN
from tests.reading import Reader
from tests.report_mails import (
    ENVELOPE,
    picture,
    pictures_of,
    read,
    sent,
    with_pictures,
    written,
)
from tests.report_sample import HOSTILE, empty, hostile, sample, worst

HOST = "web1.example.org"


def test_the_subject_says_when_how_many_and_where() -> None:
    told = replace(sample(), filters=())

    assert subject(told, HOST) == (
        "[fail2ban] October 2024: 186 bans of 93 addresses on 3 hosts"
    )


def test_one_host_is_named_in_the_subject() -> None:
    told = replace(sample(), filters=())
    first = told.hosts.hosts[0]
    told = replace(
        told,
        totals=replace(told.totals, hosts=1),
        hosts=replace(
            told.hosts, count=1, hosts=(replace(first, host="web9.example"),)
        ),
    )

    assert subject(told, HOST).endswith(" of 93 addresses on web9")


def test_what_is_left_out_stands_in_the_subject() -> None:
    only = Filter(what="service", values=("mail", "ssh"))
    without = Filter(what="jail", values=tuple("abcde"), leaves_out=True)
    told = replace(sample(), filters=(only, without))

    assert subject(told, HOST).startswith(
        "[fail2ban] October 2024, only service mail, ssh, "
        "without jail a, b, c and 2 more: 186 bans"
    )


@pytest.mark.parametrize(
    ("covered", "said"),
    [(31, "no bans"), (30, "no bans on record"), (0, "no bans on record")],
)
def test_a_month_without_bans_is_news(covered: int, said: str) -> None:
    nothing = empty()
    totals = replace(nothing.totals, days_covered=covered)
    message = sent(replace(nothing, totals=totals))

    assert message["Subject"] == f"[fail2ban] October 2024: {said}"
    assert "No ban in this time." in body(message, "html")


def test_it_is_text_beside_html_with_its_pictures() -> None:
    message = sent(sample(), pictures=(picture("map"), picture("days", "By day")))
    text, related = message.iter_parts()
    html, *pictures = related.iter_parts()

    assert message.get_content_type() == "multipart/alternative"
    assert text.get_content_type() == "text/plain"
    assert related.get_content_type() == "multipart/related"
    assert related.get_param("type") == "text/html"
    assert html.get_content_type() == "text/html"
    assert [part.get_content_type() for part in pictures] == ["image/png"] * 2
    assert [part.get_content_disposition() for part in pictures] == ["inline"] * 2
    assert [part.get_content() for part in pictures] == [picture().png] * 2
    assert list(message.iter_attachments()) == []


def test_the_text_is_the_whole_report() -> None:
    told = "\n".join(as_text.lines(sample(), zone=UTC))
    mailed = body(sent(sample()), "plain")

    assert "info@example.org          9" in told
    assert "info[@]example.org        9" in mailed
    assert mailed.split() == told.replace("info@", "info[@]").split()
    assert max(map(len, mailed.split("\n"))) <= 80


def test_secrets_and_links_take_no_column_with_them() -> None:
    first = sample().names.names[0]
    name = replace(first, name="https://u:pw@evil.example/?token=abc")
    told = replace(sample(), names=replace(sample().names, names=(name, first)))
    _, table = body(sent(told), "plain").split("NAMES TRIED")
    one, other = table.split("\n")[2:4]

    assert "hxxps://u:***@evil[.]example/?token=***" in one
    assert one.rindex("  ") == other.rindex("  ")


def test_the_html_names_each_picture_and_says_what_it_shows() -> None:
    alt = "Most from Singapore: 146 of 887 addresses"
    message = sent(sample(), pictures=(picture("map", alt=alt), picture("days")))
    reader = Reader()
    reader.feed(with_pictures(message, body(message, "html")))

    assert reader.tags.count("img") == 2
    assert ("alt", alt) in reader.attributes
    assert "script" not in reader.tags
    assert len({part["Content-ID"] for part in pictures_of(message)}) == 2


@pytest.mark.parametrize("label", ["a", "mail-relay-3", "h" * 60])
def test_pictures_are_found_whatever_the_name_of_the_host(label: str) -> None:
    named = f"<report.0.20241101T053000000000Z-0badcafe@{label}.example.org>"
    envelope = replace(ENVELOPE, message_id=named)
    raw = written(sample(), pictures=(picture("countries"),), envelope=envelope)

    fields = [line for line in raw.split(b"\r\n") if line.startswith(b"Content-ID")]
    assert fields == [f"Content-ID: <countries.{named[1:]}".encode()]
    message = read(raw)
    with_pictures(message, body(message, "html"))


def test_without_pictures_it_says_why() -> None:
    remark = "Without pictures: nobody can draw here."
    message = sent(sample(), remark=remark)

    assert pictures_of(message) == []
    assert remark in body(message, "html")
    assert body(message, "plain").endswith(f"\n\n{remark}\n")


def test_text_alone_has_neither_html_nor_pictures() -> None:
    message = sent(sample(), pictures=(picture(),), form="text")

    assert message.get_content_type() == "text/plain"


def test_headers_tell_programs_what_it_is() -> None:
    message = sent(sample())

    assert message["Auto-Submitted"] == "auto-generated"
    assert message["List-Id"] == "<f2b-alerts.web1.example.org>"
    assert message["X-F2B-Host"] == HOST
    assert message["X-F2B-Report"] == "October 2024"
    assert message["X-F2B-Address"] is None


@pytest.mark.parametrize(
    "text",
    [HOSTILE, "<script>alert(1)</script>", 'a" onload="x', "http://evil.example/x"],
)
def test_what_attackers_choose_is_inert(text: str) -> None:
    message = sent(hostile(text), pictures=(picture("map", alt=text),))
    html, plain = body(message, "html"), body(message, "plain")
    reader = Reader()
    reader.feed(html)

    assert UNSEEN.search(html.replace("\n", "")) is None
    assert UNSEEN.search(plain.replace("\n", "")) is None
    assert "://evil" not in html.replace("hxxp://evil[.]", "")
    assert "http://evil" not in plain
    assert reader.tags == [
        each for each in reader.tags if each not in {"script", "iframe", "a"}
    ]
    assert [name for name, _ in reader.attributes if name.startswith("on")] == []
    assert all("\n" not in str(value) for value in message.values())


def test_the_largest_report_is_far_below_the_limit() -> None:
    message = sent(worst())

    assert len(message.as_bytes()) < 300_000
