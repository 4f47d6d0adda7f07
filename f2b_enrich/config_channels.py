"""What can be configured beside our mail: bounces, reports, a command to tell."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from f2b_enrich.config_types import HostName, Number, PathOrNone, Section, Whole


class BounceSettings(Section):
    """Where mail servers return our own mail to, for the daemon to look at."""

    maildir: PathOrNone = Field(
        None, description="a Maildir that bounces arrive in; nothing in it is changed"
    )
    mbox: PathOrNone = Field(
        None,
        description="a mailbox file that bounces arrive in, such as "
        '"/var/mail/f2b-enrich"; it is only read',
    )


class MailboxSettings(Section):
    """A mailbox of reports that other servers send, read on a timer."""

    maildir: PathOrNone = Field(
        None,
        description="a Maildir that fail2ban's mails arrive in, of this server or of "
        "many; `f2b-enrich-mailbox.timer` has it read (docs/how-to/mailbox.md)",
    )
    after: Literal["leave"] = Field(
        "leave", description="what becomes of a mail that was read: it stays as it is"
    )
    host: HostName | None = Field(
        None,
        description="the server that all of them are of; default whichever each names",
    )


class NotifySettings(Section):
    """A command that is told by JSON what is mailed: for webhooks, ntfy, chat."""

    command: tuple[str, ...] = Field(
        (),
        max_length=100,
        description="the program by its whole path, and its arguments; run without a "
        "shell, as the daemon's user; none, nothing is run",
    )
    events: tuple[Literal["alert", "digest", "flood", "health"], ...] = Field(
        ("alert", "digest", "flood", "health"),
        description="the kinds of mail that it is told of",
    )
    timeout_seconds: Number = Field(
        10.0, gt=0, le=600, description="it is killed after so long, with its children"
    )
    at_once: Whole = Field(2, ge=1, le=16, description="how many may run at once")

    @field_validator("command")
    @classmethod
    def _runnable(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if any("\0" in word for word in value):
            raise ValueError("holds U+0000, which no argument can")
        if value and not value[0].startswith("/"):
            raise ValueError(f"{value[0]!r} is not a whole path like /usr/local/bin/x")
        return value
