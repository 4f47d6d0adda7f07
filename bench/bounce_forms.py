"""How mail servers give back what they could not deliver."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from email.utils import format_datetime
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from datetime import datetime

TO = "you@freemail.example"
_SENDER = "fail2ban@freemail.example"
_REPLY = "550 Requested action not taken: mailbox unavailable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Original:
    """The mail that is given back."""

    head: str
    text: str

    def __str__(self) -> str:
        """Write the mail as a whole."""
        return f"{self.head}\n\n{self.text}"


Form: TypeAlias = Callable[[Original, str, "datetime", int], str]


def _head(host: str, at: datetime, subject: str, more: str = "") -> str:
    return (
        "Return-Path: <>\n"
        f"Received: by {host} (Postfix)\n\tid 1A2B3C; {format_datetime(at)}\n"
        f"Date: {format_datetime(at)}\n"
        f"From: MAILER-DAEMON@{host} (Mail Delivery System)\n"
        f"To: {_SENDER}\nSubject: {subject}\n{more}"
    )


def qmail(original: Original, host: str, at: datetime, number: int) -> str:
    """Write what qmail-send does."""
    return f"""{_head(host, at, "failure notice")}
Hi. This is the qmail-send program at {host}.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

<{TO}>:
203.0.113.{number % 250 + 1} does not like recipient.
Remote host said: {_REPLY}
Giving up on 203.0.113.{number % 250 + 1}.

--- Below this line is a copy of the message.

{original}"""


def exim(original: Original, host: str, at: datetime, number: int) -> str:
    """Write what Exim did before it wrote reports."""
    more = f"X-Failed-Recipients: {TO}\nAuto-Submitted: auto-replied\n"
    subject = "Mail delivery failed: returning message to sender"
    return f"""{_head(host, at, subject, more)}
This message was created automatically by mail delivery software.

A message that you sent could not be delivered to one or more of its
recipients. This is a permanent error. The following address(es) failed:

  {TO}
    SMTP error from remote mail server after RCPT TO:<{TO}>:
    host mx{number % 4}.freemail.example [203.0.113.25]: {_REPLY}

------ This is a copy of the message, including all the headers. ------

{original}"""


def sendmail_5(original: Original, host: str, at: datetime, _number: int) -> str:
    """Write what old Sendmails do."""
    return f"""{_head(host, at, "Returned mail: User unknown")}
   ----- Transcript of session follows -----
550 <{TO}>... User unknown

   ----- Unsent message follows -----
{original}"""


def postfix(original: Original, host: str, at: datetime, number: int) -> str:
    """Write a report of RFC 3464 as Postfix does."""
    boundary = f"{number:09X}.{number % 97}/{host}"
    notice = f"""Content-Description: Notification
Content-Type: text/plain; charset=us-ascii

This is the mail system at host {host}.

I'm sorry to have to inform you that your message could not
be delivered to one or more recipients. It's attached below.

<{TO}>: host mx.freemail.example[203.0.113.25] said: {_REPLY}
"""
    return _report(original, host, at, boundary, notice)


def exchange(original: Original, host: str, at: datetime, number: int) -> str:
    """Write a report whose notice comes as HTML too, which takes the full parser."""
    within = f"_{number}_within_"
    notice = f"""Content-Type: multipart/alternative; differences=Content-Type;
\tboundary="{within}"

--{within}
Content-Type: text/plain; charset="us-ascii"
Content-Transfer-Encoding: quoted-printable

Delivery has failed to these recipients or distribution lists:

{TO}
The recipient's e-mail address was not found in the recipient's e-mail syst=
em.

--{within}
Content-Type: text/html; charset="us-ascii"
Content-Transfer-Encoding: quoted-printable

<html><body><p>Delivery has failed to these recipients.</p></body></html>

--{within}--
"""
    return _report(original, host, at, f"_{number}_{host}_", notice)


def _report(
    original: Original, host: str, at: datetime, boundary: str, notice: str
) -> str:
    more = (
        "Auto-Submitted: auto-replied\nMIME-Version: 1.0\n"
        "Content-Type: multipart/report; report-type=delivery-status;\n"
        f'\tboundary="{boundary}"\n'
    )
    head = _head(host, at, "Undelivered Mail Returned to Sender", more)
    return f"""{head}
This is a MIME-encapsulated message.

--{boundary}
{notice}
--{boundary}
Content-Description: Delivery report
Content-Type: message/delivery-status

Reporting-MTA: dns; {host}
Arrival-Date: {format_datetime(at)}

Final-Recipient: rfc822; {TO}
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; {_REPLY}

--{boundary}
Content-Description: Undelivered Message
Content-Type: message/rfc822

{original}
--{boundary}--
"""


FORMS: tuple[Form, ...] = (
    *(qmail, qmail, qmail, qmail, exim, exim, exim),
    *(postfix, postfix, postfix, sendmail_5, exchange),
)
"""As common as they were, roughly: each of the servers has one."""
