"""Options of imports: each is shown where it does something, and says what."""

from __future__ import annotations

import pytest

from tests.cli import run
from tests.imports import Imports, imports

__all__ = ["imports"]

BAN = "2026-11-21 20:39:55,756 fail2ban.actions [9365]: NOTICE [lab] Ban 192.0.2.7\n"


def help_of(kind: str) -> str:
    return " ".join(run("import", kind, "--help").out.split())


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("fail2ban-log", "--again Read also what an earlier run has read. "),
        ("mail", "has read of a large mailbox or an IMAP folder; other mails are"),
        ("mailbox", "--again Read also what an earlier run has read. "),
        ("mail", "Default: what they name, else the configured host."),
        ("mailbox", "Default: mailbox.host of the configuration, else what they name,"),
    ],
)
def test_help_tells_what_holds_for_the_kind(kind: str, text: str) -> None:
    assert text in help_of(kind)


def test_a_database_is_always_read_whole(imports: Imports) -> None:
    assert "--again" not in help_of("fail2ban-db")
    assert imports.ran("fail2ban-db", "--again", "any.sqlite3").code == 2


def test_look_ups_are_told_of_where_there_are_some(imports: Imports) -> None:
    log = imports.folder / "fail2ban.log"
    log.write_text(BAN)
    assert imports.ran("fail2ban-log", "--dry-run", log).out.count("look-ups") == 0
    assert imports.ran("fail2ban-log", "--enrich", "none", log).out.endswith(
        "unparsed  0\n"
    )
    again = imports.ran("fail2ban-log", "--host", "web9", log)
    assert again.out.endswith(
        "look-ups  in the background; they tell where an address is today, not where "
        "it was then\n"
    )


def test_a_larger_wish_holds_for_what_the_host_told_of_the_address_before(
    imports: Imports,
) -> None:
    for day, host, enrich in (
        ("20", "web1.example", "none"),
        ("20", "web2.example", "none"),
        ("21", "web1.example", "full"),
        ("22", "web1.example", "none"),
    ):
        log = imports.folder / f"{host}-{day}-fail2ban.log"
        log.write_text(BAN.replace("-21 ", f"-{day} "))
        imports.facts("fail2ban-log", "--host", host, "--enrich", enrich, log)

    assert imports.rows("SELECT host, look_up FROM bans ORDER BY banned_at, host") == [
        ("web1.example", "later"),
        ("web2.example", "none"),
        ("web1.example", "later"),
        ("web1.example", "none"),
    ]
