"""How fast bounced reports are read into records, beside the standard library."""

from __future__ import annotations

import email
import mailbox
import sqlite3
import tempfile
import time
from contextlib import closing
from datetime import UTC, datetime
from email import policy
from email.message import EmailMessage
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from bench import bounced_reports
from bench.import_log import MOST_GROWTH_MIB, resident_mib
from bench.row import Row
from f2b_enrich.importing.mail_boxes import mails
from f2b_enrich.importing.mail_reading import read
from f2b_enrich.importing.opening import opened

if TYPE_CHECKING:
    from demo.lab import Lab

MAILS = 100_000
BESIDE = 5_000
"""Mails that the standard library reads: all would take it hours."""

SEED = 7
WANTED = 5
SAMPLES = 100
NOW = datetime(2030, 1, 1, tzinfo=UTC)
_PLAIN = "CREATE TABLE bans (subject, sent_at, sender, message_id, text)"
_MARKS = ("copy of the message", "Unsent message follows")


def measure(lab: Lab) -> list[Row]:  # noqa: ARG001 - as the others are called
    """Write an mbox and read it, without a store."""
    with tempfile.TemporaryDirectory(prefix="f2b-") as folder:
        box = Path(folder, "bounces.mbox")
        with box.open("wb") as file:
            bounced_reports.write_mbox(file, MAILS, seed=SEED)
        rate, growth = read_box(box)
        beside = read_by_library(box)
    return [
        Row(
            f"{MAILS:,} bounced reports read into records, mails a second",
            f"{rate:,.0f}, {rate / beside:.1f} x the standard library",
            f"at least {WANTED} x",
            rate >= WANTED * beside,
        ),
        Row(
            "memory that it takes after the first tenth",
            f"{growth:.1f} MiB more",
            f"at most {MOST_GROWTH_MIB} MiB more",
            growth <= MOST_GROWTH_MIB,
        ),
    ]


def read_box(box: Path) -> tuple[float, float]:
    """Give mails a second of processor time, and the growth in MiB after a tenth."""
    bans = 0
    sizes: list[float] = []
    begun = time.process_time()
    with opened(box) as source:
        for number, mail in enumerate(mails(source.read), start=1):
            bans += len(read(mail.content, now=NOW).bans)
            if number % (MAILS // SAMPLES) == 0:
                sizes.append(resident_mib())
    rate = MAILS / (time.process_time() - begun)
    assert bans == MAILS
    return rate, max(sizes) - sizes[SAMPLES // 10]


def read_by_library(box: Path) -> float:
    """Give mails a second of processor time, each with the mail enclosed in it."""
    found = mailbox.mbox(box, create=False)
    keys = list(
        islice(found.iterkeys(), BESIDE)
    )  # its table of contents is not counted
    begun = time.process_time()
    for key in keys:
        told_by_library(found.get_bytes(key))
    return len(keys) / (time.process_time() - begun)


def read_and_written_by_library(box: Path, store: Path) -> float:
    """Give mails a second by the clock, read one by one and inserted plainly."""
    found = mailbox.mbox(box, create=False)
    keys = list(islice(found.iterkeys(), BESIDE))
    begun = time.monotonic()
    with closing(sqlite3.connect(store)) as connection, connection:
        connection.execute(_PLAIN)
        for key in keys:
            told = told_by_library(found.get_bytes(key))
            connection.execute("INSERT INTO bans VALUES (?, ?, ?, ?, ?)", told)
    return len(keys) / (time.monotonic() - begun)


def told_by_library(content: bytes) -> tuple[str, ...]:
    """Parse a bounce and the mail in it, and give what a row would hold of it."""
    message = email.message_from_bytes(content, policy=policy.default)
    enclosed = _enclosed(message)
    enclosed.get_all("Received")
    text = enclosed.get_content()
    assert "has just been banned" in text
    names = ("Subject", "Date", "From", "Message-ID")
    return (*(str(enclosed.get(name)) for name in names), text)


def _enclosed(message: EmailMessage) -> EmailMessage:
    for part in message.walk():
        if part.get_content_type() == "message/rfc822":
            inner = part.get_payload(0)
            assert isinstance(inner, EmailMessage)
            return inner
    text = message.get_content()
    start = max(text.find(mark) for mark in _MARKS)
    copy = text[text.index("\n", start) :].lstrip()
    return email.message_from_string(copy, policy=policy.default)
