"""Which bans a mail reports: every release's words, plain and returned."""

from __future__ import annotations

import base64
import tracemalloc
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from f2b_enrich.importing.mail_letter import MAX_BYTES
from tests.old_mails import (
    AT,
    BAN,
    BODY,
    DATE,
    IP,
    LATER,
    LINES,
    NOTICE,
    SENTENCE,
    STATUS,
    SUBJECT,
    ban,
    bounced,
    in_parts,
    read_both,
    report,
    what,
)


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
