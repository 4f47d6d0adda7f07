"""What a mail that came back says, whoever wrote it."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from f2b_enrich.mail.bounces import MAX_BYTES, MAX_TEXT, Bounce, read
from tests import bounces
from tests.bounces import OURS

NOC = "noc@admins.example"


def demanded(data: bytes) -> Bounce:
    found = read(data)
    assert found is not None
    return found


def test_a_report_tells_which_mail_and_why() -> None:
    assert read(bounces.report()) == Bounce(
        message_id=OURS,
        action="failed",
        recipient=NOC,
        status="5.1.1",
        diagnostic="550 5.1.1 <noc@admins.example>: no such user",
    )


@pytest.mark.parametrize(
    "returned",
    ["message/rfc822", "message/global", "text/rfc822-headers"],
)
def test_the_mail_may_be_returned_whole_or_its_head_alone(returned: str) -> None:
    assert demanded(bounces.report(returned=returned)).message_id == OURS


def test_a_report_without_the_mail_names_it_as_what_it_answers() -> None:
    data = bounces.report(returned="text/html").replace(
        b"Subject: Und", f"In-Reply-To: {OURS}\nSubject: Und".encode()
    )
    assert demanded(data).message_id == OURS
    assert read(bounces.report(returned="text/html")) is None


def test_what_is_late_or_arrived_is_no_failure() -> None:
    assert demanded(bounces.report()).is_failure
    for action in ("delayed", "relayed", "delivered", "expanded"):
        found = demanded(bounces.report(action=action))
        assert found.action == action
        assert not found.is_failure
    assert demanded(bounces.late()).action == "delayed"


def test_of_many_recipients_the_one_that_failed_counts() -> None:
    data = bounces.report().replace(
        b"Final-Recipient",
        b"Final-Recipient: rfc822; two@admins.example\nAction: relayed\n\n"
        b"Final-Recipient",
    )
    assert demanded(data).recipient == NOC


def test_the_address_is_the_one_that_we_wrote_to() -> None:
    data = bounces.report().replace(
        b"Final-Recipient: rfc822; noc@admins.example",
        b"Original-Recipient: rfc822;noc@admins.example\n"
        b"Final-Recipient: rfc822; someone@elsewhere.example",
    )
    assert demanded(data).recipient == NOC


@pytest.mark.parametrize(
    ("status", "action"), [("5.0.0", "failed"), ("4.4.7", "delayed"), ("", "failed")]
)
def test_without_an_action_the_status_decides(status: str, action: str) -> None:
    data = bounces.report(status=status).replace(b"Action: failed\n", b"")
    assert demanded(data).action == action


def test_a_report_without_details_is_read_as_text() -> None:
    data = bounces.report()
    start, end = data.index(b"Final-Recipient"), data.index(b"--b/1\nContent-Type: mes")
    end = data.index(b"--b/1", start)
    found = demanded(data[:start] + data[end:])
    assert (found.recipient, found.status) == (NOC, "5.1.1")


def test_a_report_without_a_reply_gives_the_servers_own_words() -> None:
    data = bounces.report()
    start = data.index(b"Diagnostic-Code")
    end = data.index(b"\n", start) + 1
    told = demanded(data[:start] + data[end:]).diagnostic
    assert told == "<noc@admins.example>: 550 5.1.1 <noc@admins.example>: no such user"


def test_qmail_says_it_in_plain_text() -> None:
    assert read(bounces.qmail()) == Bounce(
        message_id=OURS,
        action="failed",
        recipient=NOC,
        status="5.2.2",
        diagnostic="Remote host said: 550 5.2.2 mailbox full "
        "Giving up on 203.0.113.25.",
    )


def test_exim_says_it_in_plain_text() -> None:
    found = demanded(bounces.exim())
    assert (found.recipient, found.status) == (NOC, "5.1.1")
    assert found.diagnostic is not None
    assert found.diagnostic.endswith("550 5.1.1 User unknown")


def test_words_without_a_code_are_kept_all_the_same() -> None:
    data = bounces.qmail().replace(b"550 5.2.2 ", b"").replace(b"550 ", b"")
    found = demanded(data)
    assert found.status is None
    assert found.diagnostic is not None
    assert "mailbox full" in found.diagnostic


def test_an_address_that_is_not_named_is_not_known() -> None:
    data = bounces.qmail().replace(b"<noc@admins.example>:\n", b"", 1)
    assert demanded(data).recipient is None


def test_a_persons_reply_is_none_whatever_it_quotes() -> None:
    assert read(bounces.reply()) is None


def test_a_holiday_reply_is_none() -> None:
    data = b"Auto-Submitted: auto-replied\n" + bounces.reply()
    assert read(data) is None


@pytest.mark.parametrize(
    ("data", "is_one"),
    [
        (bounces.reply().replace(b"<noc@admins.example>", b"<>", 1), False),
        (b"Auto-Submitted: auto-replied (vacation)\n" + bounces.qmail(), False),
        (b"X-Autoreply: yes\n" + bounces.qmail(), False),
        (b"Auto-Submitted: auto-replied\n" + bounces.qmail(), True),
        (bounces.receipt("disposition-notification"), False),
        (bounces.receipt("feedback-report"), False),
        (bounces.receipt("delivery-status"), True),
    ],
)
def test_what_programs_answer_is_no_bounce(data: bytes, *, is_one: bool) -> None:
    assert (read(data) is not None) is is_one


def test_a_report_in_utf_8_is_read_as_the_others_are() -> None:
    data = bounces.report().replace(b"e/delivery-status", b"e/Global-Delivery-Status")
    assert b"Global" in data
    utf_8 = data.replace(b"rfc822; noc@", "utf-8; n\u00f8c@".encode())
    found = demanded(
        utf_8.replace(b"Content-Type: text/plain", b"Content-Type: text/x")
    )
    assert (found.recipient, found.status) == ("n\u00f8c@admins.example", "5.1.1")


def test_a_line_of_mbox_before_it_does_not_hide_its_headers() -> None:
    data = b"From MAILER-DAEMON Sat Nov 21 20:15:00 2026\n" + bounces.qmail()
    assert demanded(data).message_id == OURS


@pytest.mark.parametrize("data", [b"", b"\n\n", b"From x\n", b"Return-Path: <>\n\nhi"])
def test_what_names_no_mail_is_none(data: bytes) -> None:
    assert read(data) is None


def test_control_characters_and_secrets_are_made_harmless() -> None:
    reply = "550 \x1b[2J see http://a:b@mx.example/?token=abc " + "x" * 900
    found = demanded(bounces.report(reply=reply))
    assert found.diagnostic is not None
    assert found.diagnostic.isprintable()
    assert "abc" not in found.diagnostic
    assert len(found.diagnostic) == MAX_TEXT


def test_bytes_beyond_ascii_are_shown() -> None:
    data = bounces.report().replace(b"no such user", b"inconnu \xc3\xa9 \xff")
    found = demanded(data)
    assert found.diagnostic is not None
    assert found.diagnostic.encode("utf-8")


def test_parts_in_parts_exhaust_nothing() -> None:
    nested = b"Return-Path: <>\nMIME-Version: 1.0\n" + b"".join(
        b"Content-Type: multipart/mixed; boundary=%d\n\n--%d\n" % (depth, depth)
        for depth in range(3000)
    )
    assert read(nested + bounces.qmail()) is None
    assert read(b"Content-Type: message/rfc822\n\n" * 8000) is None
    delivery = b"Return-Path: <>\nContent-Type: message/delivery-status\n\n"
    assert read(delivery + b"\n" * 250_000) is None
    quoted = b'Return-Path: <>\nContent-Type: multipart/mixed; x="' + b";" * 250_000
    assert read(quoted) is None


def test_a_huge_mail_is_read_as_far_as_needed() -> None:
    data = bounces.qmail() + b"line of a log\n" * (MAX_BYTES // 10)
    assert demanded(data).message_id == OURS


def test_an_unknown_character_set_is_no_reason_to_stop() -> None:
    data = bounces.report().replace(b"us-ascii", b"x-unheard-of")
    assert demanded(data).message_id == OURS


@given(st.binary(max_size=400))
def test_any_bytes_are_a_bounce_or_none(noise: bytes) -> None:
    read(noise)
    read(b"Return-Path: <>\n" + noise)
    whole = bounces.report()
    read(whole[:200] + noise + whole[200:])
    read(whole.replace(b"rfc822; noc", noise))


@given(st.integers(0, 2000), st.sampled_from([bounces.report(), bounces.qmail()]))
def test_one_that_is_cut_off_is_a_bounce_or_none(end: int, data: bytes) -> None:
    found = read(data[:end])
    assert found is None or found.message_id == OURS


# In these no Message-ID of the mail that came back is left: qmail-08 and the notices
# with "Message removed" have none, the others lost it, or their parts' boundaries.
WITHOUT_ID = {
    "flufl-qmail_02.txt",
    "flufl-qmail_04.txt",
    "flufl-qmail_06.txt",
    "flufl-qmail_08.txt",
    "sisimai-lhost-exchange2003-04.eml",
    "sisimai-lhost-opensmtpd-04.eml",
    "sisimai-lhost-qmail-02.eml",
    "sisimai-lhost-qmail-08.eml",
    "sisimai-lhost-v5sendmail-04.eml",
    "sisimai-rfc3464-04.eml",
    "sisimai-rfc3464-36.eml",
}


def test_real_bounces_are_told() -> None:
    extra = os.environ.get("F2B_ENRICH_EXTRA_DATA")
    folder = Path(extra or "/nonexistent") / "bounces"
    if not folder.is_dir():
        pytest.skip("F2B_ENRICH_EXTRA_DATA has no folder bounces")
    with (folder / "expected.csv").open(newline="") as table:
        rows = list(csv.DictReader(table))

    assert len(rows) == 77
    read_ = {row["file"]: read((folder / row["file"]).read_bytes()) for row in rows}
    assert {name for name, found in read_.items() if found is None} == WITHOUT_ID
    for row in rows:
        found = read_[row["file"]]
        if found is None:
            continue
        data = (folder / row["file"]).read_bytes().replace(b"\r\n", b"\n")
        # The one in the head is the bounce's own, and comes first.
        assert data.rindex(found.message_id.encode()) > data.index(b"\n\n") - 1
        if int(row["final_recipients"]):
            assert found.recipient, row["file"]
            assert found.status, row["file"]
    not_failed = {name for name, each in read_.items() if each and not each.is_failure}
    assert not_failed == {
        "sisimai-lhost-opensmtpd-12.eml",
        "sisimai-lhost-opensmtpd-16.eml",
        "sisimai-rfc3464-28.eml",
    }
