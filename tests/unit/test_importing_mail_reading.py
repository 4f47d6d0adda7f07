"""Which bans a mail reports: every release's words, plain and returned."""

from __future__ import annotations

import base64
import tracemalloc
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from f2b_enrich.importing.mail_letter import MAX_BYTES, MOST_DEEP
from f2b_enrich.importing.records import Record
from tests.old_mails import (
    AT,
    BODY,
    DATE,
    ID,
    IP,
    LATER,
    LINES,
    NOTICE,
    SENTENCE,
    STATUS,
    SUBJECT,
    bounced,
    in_parts,
    read_both,
    report,
)

BAN = Record(
    kind="ban",
    ip=IP,
    jail="ssh",
    at=AT,
    time_source="mail",
    origin="mail",
    host="web1.example",
    failures=6,
    message_id=ID,
)


def ban(mail: str | bytes) -> Record:
    found = read_both(mail)
    assert found.what == "bans"
    (only,) = found.bans
    return only


def what(mail: str | bytes) -> str:
    found = read_both(mail)
    assert (found.what == "bans") == bool(found.bans)
    return found.what


def test_a_plain_report_tells_all_that_it_knows() -> None:
    found = read_both(report())
    assert found.bans == (BAN,)
    assert not found.is_bounce
    assert not found.is_dated_by_bounce


@pytest.mark.parametrize(
    "subject",
    [
        "[Fail2Ban] ssh: banned 192.0.2.7 from web1.example",
        "[Fail2Ban] ssh: Banned 192.0.2.7",
        "[Fail2Ban]\n ssh: banned 192.0.2.7\n\tfrom web1.example",
        "[Fail2Ban][web1.example] ssh: banned 192.0.2.7",
        "[Fail2Ban] our server ssh: banned 192.0.2.7",
        "[admins] [Fail2Ban] ssh: banned 192.0.2.7",
        "*****SPAM***** [Fail2Ban] ssh: banned 192.0.2.7",
        "=?utf-8?q?=5BFail2Ban=5D_ssh=3A_banned_192=2E0=2E2=2E7?=",
        "[Fail2Ban] ssh: banned",
        "[Fail2Ban] ssh: banned from web1.example",
        "[Fail2Ban] ssh: banned 192.0.2.7 (NL)",
        "Somebody knocks at the gate",
        "",
    ],
)
def test_a_subject_may_be_of_any_release_or_an_administrators_own(subject: str) -> None:
    assert ban(report(subject)) == BAN


@pytest.mark.parametrize(
    "sentence",
    [
        SENTENCE,
        SENTENCE.replace("\n", " ", 1),
        SENTENCE.replace("Hi,", "Hi"),
        SENTENCE.replace("ssh.", "ssh.<br>"),
        SENTENCE.replace(" has", "  has"),
        SENTENCE.replace("after\n", "\nafter ").replace(" ssh", "\nssh"),
    ],
)
def test_the_sentence_may_be_broken_anywhere(sentence: str) -> None:
    assert ban(report(body=f"Hi,\n\n{sentence}\n\nRegards,\n\nFail2Ban")) == BAN
    assert ban(report("Own", f"\nHi,<br>\n\n{sentence}")) == BAN


def test_the_python_action_tells_the_length_of_the_ban() -> None:
    body = BODY.replace("banned by Fail2Ban", "banned for 600 seconds\nby Fail2Ban")
    assert ban(report(body=body)) == replace(BAN, bantime_seconds=600)
    for_ever = body.replace("600", "-1")
    assert ban(report(body=for_ever)) == replace(BAN, bantime_seconds=-1)


WHOIS = f"\n\nHere is more information about {IP} :\ninetnum: {IP}\nremarks: a\n\n"
PLAIN = (
    *(
        f"Lines containing failures of {IP} (max 1000)",
        f"Lines containing IP:{IP} in a",
    ),
    *("Matches:", "Matches for this ban:", f"Matches for {IP}:"),
    *(f"Matches for {IP} for jail ssh:", f"Matches with 4 failures IP:{IP}"),
    f"Matches for ssh with 4 failures IP:{IP}",
)


@pytest.mark.parametrize("heading", PLAIN)
@pytest.mark.parametrize("regards", ["\n\n\nRegards,\n\nFail2Ban\n", "\n\n", "\n"])
def test_log_lines_stand_below_the_heading_of_the_release(
    heading: str, regards: str
) -> None:
    lines = "\n".join(LINES)
    body = f"Hi,\n\n{SENTENCE}{WHOIS}{heading}\n\n{lines}{regards}"
    assert ban(report(body=body)).lines == tuple(line.encode() for line in LINES)


def test_log_lines_come_as_the_bytes_that_they_were() -> None:
    lines = "Regards,\n\nOne\n> From x\n@"
    body = f"Hi,\n\n{SENTENCE}\nMatches:\n{lines}\n\nRegards,\n\nFail2Ban"
    mail = report(body=body).encode().replace(b"@\n\nR", b"caf\xe9 \xff\0\x1b[2J\n\nR")
    assert ban(mail).lines == (
        *(b"Regards,", b"One", b"> From x"),
        b"caf\xe9 \xff\0\x1b[2J",
    )


def test_whois_answers_are_no_log_lines() -> None:
    assert ban(report(body=f"{SENTENCE}{WHOIS}Regards,\n\nFail2Ban")).lines == ()


@pytest.mark.parametrize(
    ("subject", "body"),
    [
        ("[Fail2Ban] SSH: banned", BODY.replace(f" {IP}", "")),
        ("[Fail2Ban] SSH: banned", "Hi,\n\nThe IP"),
        ("[Fail2Ban] SSH: banned from", BODY.replace(IP, "x.x.x.x")),
        ("[Fail2Ban] ssh: banned 192.0.2.300", ""),
        ("[Fail2Ban] web1 ssh: banned 192.0.2.300 (NL)", ""),
        ("[Fail2Ban] ssh: summary from web1.example", "These hosts have been banned"),
        (SUBJECT, BODY.replace(IP, "192.0.2.8")),
    ],
    ids=["none", "cut", "hidden", "wrong", "longer", "summary", "contradiction"],
)
def test_a_report_without_one_address_is_unparsed(subject: str, body: str) -> None:
    assert what(report(subject, body)) == "unparsed"
    assert what(bounced(report(subject, body))) == "unparsed"


def test_an_address_that_one_place_lacks_is_taken_from_the_other() -> None:
    assert ban(report("[Fail2Ban] ssh: banned")) == BAN
    assert ban(report(body="Something else")) == replace(BAN, failures=None)
    assert ban(report(body=BODY.replace(IP, "x.x.x.x"))) == BAN


@pytest.mark.parametrize("ip", ["2001:db8::7", "198.51.100.0/24", "::ffff:192.0.2.7"])
def test_networks_and_ipv6_are_kept_as_they_stand(ip: str) -> None:
    assert ban(report(f"[Fail2Ban] ssh: banned {ip}", BODY.replace(IP, ip))).ip == ip


@pytest.mark.parametrize(
    ("subject", "body", "kind"),
    [
        ("[Fail2Ban] ssh: started", "", "start"),
        ("[Fail2Ban] ssh: started  on web1.example", "", "start"),
        ("[Fail2Ban] ssh: stopped on web1.example", "", "stop"),
        ("Own", "Hi,\n\nThe jail ssh has been started successfully.\n", "start"),
        ("Own", "The jail ssh has been stopped.\n", "stop"),
        ("[Fail2Ban] web1", "Hi,\n\nThe jail ssh has been stopped.\n", "stop"),
        ("[Fail2Ban] your licence", "Hello", "other"),
        ("Lunch", f"Hello\n\n{SENTENCE}", "other"),
        ("Abuse from 192.0.2.7", "Dear Sir/Madam", "other"),
    ],
)
def test_other_mail_is_told_apart(subject: str, body: str, kind: str) -> None:
    assert what(report(subject, body)) == kind
    found = read_both(bounced(report(subject, body)))
    assert found.what == kind


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


@pytest.mark.parametrize(
    "year", ["0000", "0001", "1970", "2003", "2027", "9999", "99999"]
)
def test_years_that_cannot_be_are_not_believed(year: str) -> None:
    date = DATE.replace("2010", year)
    mail = report(date=date, received="by web1.example (Postfix, from userid 0)")
    found = read_both(mail)
    assert found.bans == (replace(BAN, at=None),)
    assert not found.is_dated_by_bounce


def test_line_ends_may_be_of_any_system() -> None:
    for ends in (b"\r\n", b"\r"):
        assert ban(report().encode().replace(b"\n", ends)) == BAN
        assert ban(bounced(report()).encode().replace(b"\n", ends)) == BAN
    assert ban(f"From x Sat Jul  3 09:00:00 2010\n{report()}") == BAN


def test_what_lies_behind_the_limit_is_not_read() -> None:
    rest = "x" * 79 + "\n"
    long = report(body=BODY + rest * (2 * MAX_BYTES // 80))
    assert ban(long).ip == IP
    assert what(bounced(report(), above=rest * (MAX_BYTES // 80))) == "other"


@pytest.mark.parametrize("encoding", ["quoted-printable", "base64"])
def test_a_text_may_be_encoded_for_its_journey(encoding: str) -> None:
    body = {
        "quoted-printable": BODY.replace("just", "ju=\nst"),
        "base64": base64.encodebytes(BODY.encode()).decode(),
    }[encoding]
    more = f"MIME-Version: 1.0\nContent-Transfer-Encoding: {encoding}\n"
    assert ban(report(body=body, more=more)) == BAN
    html = "Content-Type: text/html\n"
    assert ban(report(body=body, more=html)) == replace(BAN, failures=None)


def test_what_calls_itself_parts_and_has_none_is_a_text() -> None:
    flat = bounced(report()).replace(
        "\nSubject", "\nContent-Type: multipart/report\nSubject"
    )
    assert ban(flat) == BAN
    assert ban(flat.replace("/report", "/mixed; boundary=x")) == BAN


def test_a_mail_of_ten_thousand_parts_is_read_in_good_time() -> None:
    parts = (("text/plain", "x"),) * 10_000
    assert what(in_parts(*parts)) == "other"
    assert what(in_parts(NOTICE, ("message/rfc822", report()), *parts)) == "bans"
    within = "".join(
        f'Content-Type: multipart/mixed; boundary="{n}"\n\n--{n}\n'
        for n in range(10_000)
    )
    assert what(f"Subject: x\n{within}") == "other"
    blank = ("message/delivery-status", "\n" * MAX_BYTES)
    tracemalloc.start()
    assert what(in_parts(NOTICE, blank)) == "other"
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 32 * 1024 * 1024
    enclosed = "Content-Type: message/rfc822\n\n" * 10_000
    assert what(f"Subject: x\n{enclosed}") == "other"


LONGER = f"{IP}7"
LONGER_HOST = "web1.example.example"
WHOLE = [
    mail.replace(IP, LONGER)
    .replace("ssh", "ssh-s")
    .replace("web1.example", LONGER_HOST)
    for mail in (
        report(f"{SUBJECT} from web1.example"),
        bounced(report()),
        in_parts(NOTICE, STATUS, ("message/rfc822", report())),
        in_parts(NOTICE, STATUS, ("text/rfc822-headers", report())),
    )
]


def test_an_address_or_a_jail_that_a_mail_ends_in_may_be_half_of_it() -> None:
    subject = WHOLE[0].index(LONGER)
    assert what(WHOLE[0][: subject + len(IP)]) == "other"
    folded = WHOLE[0].replace("banned ", "banned\n ", 1)
    assert what(folded[: subject + len(IP) + 1]) == "unparsed"
    sentence = WHOLE[0].index("against ssh-s")
    assert ban(WHOLE[0][: sentence + len("against ssh")]).jail == "ssh-s"
    unnamed = report("Own", BODY).replace("ssh", "ssh-s")
    assert what(unnamed[: unnamed.index("ssh-s") + len("ssh")]) == "other"


def test_the_sentence_is_looked_for_where_fail2ban_puts_it() -> None:
    whois = "remarks: x\n" * 400
    assert what(report("[Fail2Ban] ssh: banned", f"Hi,\n\n{whois}{SENTENCE}")) == (
        "unparsed"
    )


@given(st.sampled_from(WHOLE), st.integers(0, 2000))
def test_of_a_cut_mail_nothing_cut_is_taken(mail: str, length: int) -> None:
    for record in read_both(mail[:length]).bans:
        assert record.ip == LONGER
        assert record.jail == "ssh-s"
        assert record.at in {AT, LATER, None}
        assert record.host in {LONGER_HOST, "mx.admins.example", "site.example", None}


@given(st.binary(max_size=2000))
def test_any_bytes_are_some_mail(data: bytes) -> None:
    read_both(data)


@given(st.sampled_from(WHOLE), st.binary(max_size=400))
def test_any_bytes_in_a_report_are_some_mail(mail: str, data: bytes) -> None:
    whole = mail.encode()
    for place in (0, len(whole) // 3, len(whole) // 2, len(whole)):
        read_both(whole[:place] + data + whole[place:])
