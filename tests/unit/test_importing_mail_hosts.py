"""Which machine a report is about, by what its mail tells."""

from __future__ import annotations

import pytest

from tests.old_mails import (
    BODY,
    IP,
    NOTICE,
    SUBJECT,
    bounced,
    in_parts,
    read_both,
    report,
)


def host(mail: str) -> str | None:
    (only,) = read_both(mail).bans
    return only.host


LOCAL = [
    "by web1.example (Postfix, from userid 0)",
    "from root by web1.example with local (Exim 4.69) (envelope-from <x@y.example>)",
    "(from root@localhost)\n\tby web1.example (8.13.8/8.13.8/Submit) id x",
    "by web1.example (sSMTP sendmail emulation)",
    "from localhost (localhost [127.0.0.1]) by web1.example (Postfix) with SMTP",
    "from web9 (localhost [IPv6:::1]) by web1.example (Postfix) with SMTP",
    "from localhost (localhost [local]); by web1.example (OpenSMTPD) with ESMTPA",
    "mta queue 58880 by host web1.example (invoked by uid 0)",
]
SENT = [
    "from web1.example (web1.example [203.0.113.9]) by mx.site.example with ESMTP",
    "from web1.example ([203.0.113.9]) by mx.site.example with ESMTP",
    "from web1.example by mx.site.example with ESMTP",
    "from unknown (HELO web1.example) (203.0.113.9) by mx.site.example with SMTP",
    "from localhost (web1.example [203.0.113.9]) by mx.site.example with SMTP",
    "from [203.0.113.9] (web1.example [203.0.113.9]) by mx.site.example with SMTP",
]


@pytest.mark.parametrize("received", [*LOCAL, *SENT])
def test_the_first_hop_names_the_machine(received: str) -> None:
    assert host(report(received=received)) == "web1.example"
    further = "from web1.example by relay.example\nReceived: by relay.example; x"
    assert host(report(received=f"{further}\nReceived: {received}")) == "web1.example"


@pytest.mark.parametrize(
    "received",
    [
        "(qmail 18901 invoked by uid 0)",
        "from localhost (localhost [127.0.0.1]) by localhost (Postfix)",
        "by 2001:db8::7 with SMTP id x",
        "from unknown (HELO ?127.0.0.1?) (203.0.113.9) by 203.0.113.8 with SMTP",
        "from [203.0.113.9] by mx.site.example",
        "from user ([203.0.113.9]) by mx.site.example",
        "in some other form",
    ],
)
def test_a_hop_without_a_name_leaves_it_to_the_next(received: str) -> None:
    next_hop = f"{SENT[0]}\nReceived: {received}"
    assert host(report(received=next_hop)) == "web1.example"
    assert host(report(received=received)) == "site.example"


def test_the_subject_wins_unless_it_names_no_machine() -> None:
    for named in ("web7.example", "web7", "Web_7.example"):
        assert host(report(f"{SUBJECT} from {named}")) == named
    for named in (
        "localhost",
        "localhost.localdomain",
        "192.0.2.1",
        "-x",
        "`uname",
        "[]",
    ):
        assert host(report(f"{SUBJECT} from {named}")) == "web1.example"
    assert host(report(f"{SUBJECT} from {'a' * 250}.example")) == "web1.example"


def test_the_sender_comes_last_and_is_not_believed_when_it_is_a_sample() -> None:
    assert host(report(received="")) == "site.example"
    for domain in ("mail.com", "example.com", "localhost", "[192.0.2.1]"):
        sender = f"Fail2Ban <fail2ban@{domain}>"
        assert host(report(received="", sender=sender)) is None
    assert host(report(received="", sender="root")) is None


def test_a_mail_that_never_left_was_returned_by_its_own_machine() -> None:
    copy = report(received="(qmail 1 invoked by uid 0)")
    own = "mx.admins.example"
    assert host(bounced(copy)) == own
    daemon_alone = bounced(copy).replace("program at mx.", "program of ")
    assert host(daemon_alone) == own
    unnamed = daemon_alone.replace("DAEMON@", "DAEMON at ")
    assert host(unnamed) == "site.example"
    status = ("message/delivery-status", "Reporting-MTA: dns; [mx.site.example]\n")
    assert host(in_parts(NOTICE, status, ("message/rfc822", copy))) == "mx.site.example"


def test_a_mail_that_left_was_returned_by_a_relay() -> None:
    sent = "from [203.0.113.9] by 203.0.113.8 with SMTP"
    left = f"{sent}\nReceived: (qmail 1 invoked by uid 0)"
    assert host(bounced(report(received=left))) == "site.example"


def test_a_summary_names_its_machine_as_a_report_does() -> None:
    body = f"Hi,\n\nThese hosts have been banned by Fail2Ban.\n\nx: {IP} (3 failures)\n"
    assert (
        host(report("[Fail2Ban] ssh: summary from web7.example", body))
        == "web7.example"
    )
    assert host(report("[Fail2Ban] ssh: Summary", body)) == "web1.example"
    assert host(report("Own", BODY)) == "web1.example"
