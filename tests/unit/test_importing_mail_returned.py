"""Which bans a returned mail reports, whoever returned it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from f2b_enrich.importing.mail_letter import MOST_DEEP
from tests.old_mails import (
    AT,
    BAN,
    BODY,
    DATE,
    IP,
    LATER,
    NOTICE,
    STATUS,
    SUBJECT,
    ban,
    bounced,
    in_parts,
    read_both,
    report,
    what,
)


@pytest.mark.parametrize("prefix", ["Re: ", "AW: ", "Fwd: ", "RE: ", "FW: "])
def test_what_people_quote_is_no_report(prefix: str) -> None:
    quoted = "".join(f"> {line}\n" for line in BODY.splitlines())
    assert what(report(prefix + SUBJECT, BODY)) == "other"
    assert what(report(prefix + SUBJECT, f"Look:\n{quoted}")) == "other"
    headed = f"FYI\n\n-----Original Message-----\nFrom: x\nSubject: {SUBJECT}\n\n{BODY}"
    assert what(report(prefix + SUBJECT, headed)) == "other"
    daemon = bounced(
        f"{quoted}\n> Subject: {SUBJECT}\n", subject=f"{prefix}failure notice"
    )
    assert what(daemon) == "other"
    gmail = f"---------- Forwarded message ----------\nSubject: {SUBJECT}\n\n{BODY}"
    assert what(report(prefix + SUBJECT, gmail)) == "other"


@pytest.mark.parametrize(
    "above",
    [
        "\n--- Below this line is a copy of the message.\n\n",
        "\n--- Below this line is the original bounce.\n\n",
        "\n------ This is a copy of the message, including all the headers. ------\n\n",
        "\n------ This is a copy of your message, including all the headers. ------\n",
        "\n------ This is a copy of the message's headers. ------\n\n",
        "\n------ This is a copy of the message. ------\n"
        "------ The body of the message is 99 characters long; only the first\n"
        "------ 90 or so are here.\n\n",
        "\n   ----- Unsent message follows -----\n",
        "\n   ----- Original message follows -----\n",
        "\n--- The header of the original message is following. ---\n\n",
        "\n    Below is a copy of the original message:\n\n",
        "\n----- Original message -----\n\n",
        "\nOriginal message headers:\n\n",
        "\n--- Original message follows.\n\nno head\n"
        "\n--- Original message follows.\n\n",
        "\n",
    ],
)
def test_a_server_may_put_any_line_above_the_copy(above: str) -> None:
    found = read_both(bounced(report(), above=above))
    assert found.bans == (BAN,)
    assert found.is_bounce
    assert not found.is_dated_by_bounce


def test_of_many_lines_above_nothing_only_the_first_are_looked_at() -> None:
    mark = "\n--- Below this line is a copy of the message.\n\nnothing\n"
    assert ban(bounced(report(), above=mark * 7 + mark[:-9])) == BAN
    # What is left then is to look for fail2ban's subject.
    assert ban(bounced(report(), above=mark * 8 + mark[:-9])) == BAN
    other = report("x")
    assert what(bounced(other, above=mark * 7 + mark[:-9])) == "bans"
    assert what(bounced(other, above=mark * 8 + mark[:-9])) == "other"


@pytest.mark.parametrize(
    "kind", ["message/rfc822", "message/global", "text/rfc822-headers"]
)
@pytest.mark.parametrize("of", ["multipart/report", "multipart/mixed"])
def test_a_server_may_enclose_the_mail_or_its_head(kind: str, of: str) -> None:
    mail = in_parts(NOTICE, STATUS, (kind, report()), kind=of)
    found = read_both(mail)
    assert found.bans == (BAN,)
    assert found.is_bounce


def test_of_a_head_alone_the_subject_tells_what_there_is() -> None:
    head = report(body="")
    assert ban(in_parts(NOTICE, STATUS, ("message/global-headers", head))) == replace(
        BAN, failures=None
    )


@pytest.mark.parametrize("prefix", ["> ", ">", "| ", ">> ", "    ", "\t"])
def test_a_server_may_quote_or_indent_the_mail(prefix: str) -> None:
    quoted = "".join(f"{prefix}{line}".rstrip() + "\n" for line in report().split("\n"))
    for after in ("", "\nSorry\n\nThe IP 203.0.113.1 has just been banned"):
        found = read_both(bounced(f"{quoted}{after}", above="Original mail:\n"))
        assert found.bans == (BAN,)
        assert found.is_bounce


def test_a_head_without_any_line_above_it_is_found_by_its_subject() -> None:
    long = "".join(f"X-{number}: x\n" for number in range(100))
    copy = report().replace("Subject:", f"{long}Subject:")
    # So long a head is not looked at to its top, where the first hop stands.
    assert ban(bounced(copy, above="")).host != BAN.host
    assert ban(bounced(report(), above="")) == BAN


def test_a_server_that_returns_nothing_may_name_the_subject() -> None:
    text = (
        "Your message\n\n  To:  noc@admins.example\n  Subject:  {}\n  Sent:  7/1/10\n"
    )
    mail = bounced("", above=text.format(f"{SUBJECT} from web1.example"))
    found = read_both(mail)
    assert found.bans == (replace(BAN, at=LATER, failures=None, message_id=None),)
    assert found.is_dated_by_bounce
    assert what(bounced("", above=text.format("Lunch"))) == "other"
    prefixed = bounced("", above="", subject=f"Undeliverable: {SUBJECT}")
    assert ban(prefixed).ip == IP


@pytest.mark.parametrize(
    ("sender", "subject", "path"),
    [
        ("x@mx.admins.example", "failure notice", "<x@mx.admins.example>"),
        ("x@mx.admins.example", "hello", "<>"),
        ("postmaster@mx.admins.example", "hello", "<x@mx.admins.example>"),
        ("Mail Delivery System <x@y.example>", "hello", "<x@mx.admins.example>"),
    ],
)
def test_a_server_is_known_by_its_name_or_its_subject(
    sender: str, subject: str, path: str
) -> None:
    mail = bounced(report(), sender=sender, subject=subject, path=path)
    assert read_both(mail).is_bounce
    person = bounced(
        report(), sender="x@y.example", subject="hello", path="<x@y.example>"
    )
    assert what(person) == "other"


def test_a_report_that_somebody_forwards_as_a_whole_is_no_bounce() -> None:
    mail = in_parts(NOTICE, ("message/rfc822", report()), kind="multipart/mixed")
    mail = mail.replace("<>", "<a@site.example>").replace("MAILER-DAEMON", "a")
    mail = mail.replace("Undelivered", "Some")
    found = read_both(mail)
    assert found.bans == (BAN,)
    assert not found.is_bounce
    undated = read_both(mail.replace(f"Date: {DATE}\n", "").replace(f"; {DATE}", ""))
    assert undated.bans == (replace(BAN, at=None),)


def test_a_bounce_of_a_bounce_still_holds_the_report() -> None:
    mail = report()
    for deep in range(MOST_DEEP + 1):
        assert what(mail) == ("bans" if deep < MOST_DEEP else "other")
        mail = in_parts(NOTICE, STATUS, ("message/rfc822", mail), boundary=f"b{deep}")
    copied = report()
    for deep in range(MOST_DEEP + 1):
        assert what(copied) == ("bans" if deep < MOST_DEEP else "other")
        copied = bounced(copied)


def test_the_time_is_the_reports_own_else_that_of_its_return() -> None:
    undated = report(date=None, received="")
    found = read_both(bounced(undated))
    assert found.bans == (replace(BAN, at=LATER, host="mx.admins.example"),)
    assert found.is_dated_by_bounce
    received = f"by web1.example (Postfix, from userid 0)\n\tid E; {DATE}"
    assert ban(bounced(report(date=None, received=received))).at == AT
    assert ban(bounced(report(date="Thu, 01 Jul 0000 10:11:10 +0200"))).at == AT
    assert ban(report(date=None, received="")).at is None


def test_what_calls_itself_parts_and_has_none_is_a_text() -> None:
    flat = bounced(report()).replace(
        "\nSubject", "\nContent-Type: multipart/report\nSubject"
    )
    assert ban(flat) == BAN
    assert ban(flat.replace("/report", "/mixed; boundary=x")) == BAN
