"""What the command is told is what docs/reference/notify.md says."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

from f2b_enrich.daemon.notices import of_digest, of_flood, of_other, text
from f2b_enrich.mail import digest_sample, flood_sample
from f2b_enrich.model import OutboxRow, OutboxState, read_time
from f2b_enrich.store.notifications import Folded, Notification
from tests.stores import NOW

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "notify.md"


def documented(kind: str) -> dict[str, Any]:
    found = re.findall(r"```json\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    return next(each for each in map(json.loads, found) if each["event"] == kind)


def notification(shown: dict[str, Any]) -> Notification:
    mail = OutboxRow(
        id=7,
        kind=shown["event"],
        ban_id=None,
        recipient="noc@admins.net",
        sender="root@web1",
        state=OutboxState.DUE,
        attempts=0,
        created_at=NOW,
        due_at=NOW,
        message_id=shown["message_id"],
    )
    return Notification(
        id=shown["id"],
        event=shown["event"],
        mail=mail,
        attempts=0,
        created_at=read_time(shown["queued_at"]),
    )


def folded(figures: dict[str, Any]) -> Folded:
    return Folded(
        bans=figures["bans"],
        addresses=figures["addresses"],
        first_at=read_time(figures["first_at"]),
        last_at=read_time(figures["last_at"]),
        jails=figures["jails"],
    )


NOTHING = Folded(bans=0, addresses=0, first_at=None, last_at=None, jails={})


def test_the_documented_digest_is_what_is_told() -> None:
    shown = documented("digest")
    digest = replace(digest_sample.known(), host="web1", bans=())
    assert of_digest(notification(shown), folded(shown["digest"]), digest) == shown


def test_the_documented_flood_is_what_is_told() -> None:
    shown = documented("flood")
    flood = replace(flood_sample.ended(), host="web1")
    assert of_flood(notification(shown), flood) == shown


def test_that_a_flood_began_is_told_otherwise_than_that_it_ended() -> None:
    about = notification(documented("flood"))
    began = of_flood(about, flood_sample.began())
    ended = of_flood(about, flood_sample.ended())
    assert began["flood"] == {
        "about": "began",
        "began_at": "2026-11-20T13:02:09Z",
        "ended_at": None,
        "bans_per_minute": 1000,
        "held": 0,
    }
    assert began["title"] != ended["title"]


def test_what_is_of_no_kind_that_is_known_has_a_title_all_the_same() -> None:
    about = replace(notification(documented("flood")), event="health")
    told = of_other(about, NOTHING, host="web1.example.org")
    assert told["title"] == "[fail2ban] web1.example.org health"
    assert text(told).isascii()
