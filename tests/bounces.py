"""Bounces as mail servers write them, of a mail of ours."""

from __future__ import annotations

OURS = "<alert.0.5f0c2a9e-0000-5000-8000-000000000001@web1>"

_HEAD = """\
Return-Path: <>
From: MAILER-DAEMON@mx.admins.example (Mail Delivery System)
To: root@web1.example
Message-ID: <20261121201500.4F1D2@mx.admins.example>
"""

_ALERT = """\
From: root@web1.example
To: noc@admins.example
Subject: [fail2ban] web1 sshd: banned 192.0.2.7
Message-ID: {id}
"""


def report(
    message_id: str = OURS,
    *,
    action: str = "failed",
    status: str = "5.1.1",
    reply: str = "550 5.1.1 <noc@admins.example>: no such user",
    returned: str = "message/rfc822",
) -> bytes:
    """Write what RFC 3464 asks for, as Postfix does."""
    alert = _ALERT.format(id=message_id)
    return f"""\
{_HEAD}Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b/1"

--b/1
Content-Type: text/plain; charset=us-ascii

This is the mail system at host mx.admins.example.

I'm sorry to have to inform you that your message could not
be delivered to one or more recipients. It's attached below.

<noc@admins.example>: {reply}

--b/1
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.admins.example
Arrival-Date: Sat, 21 Nov 2026 20:14:59 +0000 (UTC)

Final-Recipient: rfc822; noc@admins.example
Action: {action}
Status: {status}
Diagnostic-Code: smtp; {reply}

--b/1
Content-Type: {returned}

{alert}
5 failures

--b/1--
""".encode()


def qmail(message_id: str = OURS) -> bytes:
    """Write what qmail-send does."""
    return f"""\
{_HEAD}Subject: failure notice

Hi. This is the qmail-send program at mx.admins.example.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

<noc@admins.example>:
203.0.113.25 does not like recipient.
Remote host said: 550 5.2.2 mailbox full
Giving up on 203.0.113.25.

--- Below this line is a copy of the message.

Return-Path: <root@web1.example>
Received: (qmail 1 invoked by uid 0); 21 Nov 2026 20:14:59 -0000
{_ALERT.format(id=message_id)}
5 failures
""".encode()


def exim(message_id: str = OURS) -> bytes:
    """Write what Exim did before it wrote reports."""
    return f"""\
{_HEAD}X-Failed-Recipients: noc@admins.example
Auto-Submitted: auto-replied
Subject: Mail delivery failed: returning message to sender

This message was created automatically by mail delivery software.

A message that you sent could not be delivered to one or more of its
recipients. This is a permanent error. The following address(es) failed:

  noc@admins.example
    SMTP error from remote mail server after RCPT TO:<noc@admins.example>:
    host mx.admins.example [203.0.113.25]: 550 5.1.1 User unknown

------ This is a copy of the message, including all the headers. ------

{_ALERT.format(id=message_id)}
5 failures
""".encode()


def late(message_id: str = OURS) -> bytes:
    """Write a warning that a server still tries."""
    return f"""\
{_HEAD}Subject: Warning: could not send message for past 4 hours

The message has not yet been delivered to the following recipients:

noc@admins.example: 451 4.4.1 connection timed out

{_ALERT.format(id=message_id)}
""".encode()


def reply(message_id: str = OURS) -> bytes:
    """Write a person's answer that quotes the whole mail."""
    quoted = "\n".join(f"> {line}" for line in _ALERT.format(id=message_id).split("\n"))
    return f"""\
Return-Path: <noc@admins.example>
From: noc@admins.example
To: root@web1.example
In-Reply-To: {message_id}
Subject: Re: [fail2ban] web1 sshd: banned 192.0.2.7

Please stop that.

{quoted}
""".encode()


def receipt(kind: str, message_id: str = OURS) -> bytes:
    """Write a report without the part that it is named after."""
    return f"""\
{_HEAD}Subject: Report
MIME-Version: 1.0
Content-Type: multipart/report; report-type={kind}; boundary="b/1"

--b/1
Content-Type: text/plain; charset=us-ascii

This is about a mail of yours.

--b/1
Content-Type: message/x-{kind}

Original-Message-ID: {message_id}

--b/1
Content-Type: message/rfc822

{_ALERT.format(id=message_id)}
5 failures

--b/1--
""".encode()
