"""Real logs, databases, mails and bounces give the counts that others made of them."""

from __future__ import annotations

import csv
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from tests.imports import HOST, Imports, data, imports

__all__ = ["imports"]

ROOT = Path(__file__).parent.parent.parent
BERLIN = ZoneInfo("Europe/Berlin")
ZONE = ("--timezone", "Europe/Berlin")


def expected(folder: Path) -> list[dict[str, str]]:
    with (folder / "expected.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def utc(text: str) -> str:
    wall = datetime.fromisoformat(text).replace(tzinfo=BERLIN)
    return f"{wall.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def test_all_real_logs_at_once(imports: Imports) -> None:
    folder = data("fail2ban-logs")
    rows = expected(folder)
    lines = {row["file"]: int(row["lines"]) for row in rows}

    tally = imports.facts("fail2ban-log", *ZONE, *folder.glob("*.log"))

    events: Counter[str] = Counter()
    for row in rows:
        events[row["event"]] += int(row["count"])
    assert tally["files"] == len(lines)
    assert tally["read"] == sum(lines.values())
    assert tally["bans_new"] == tally["ban_records"] == events["Ban"]
    assert tally["unbans"] == events["Unban"]
    assert tally["besides"]["found"] == events["Found"]
    assert tally["unparsed"] == tally["undated"] == tally["bans_already_there"] == 0
    assert (tally["first_day"], tally["last_day"]) == ("2014-10-14", "2026-11-21")
    for row in rows:
        if row["event"] == "Ban":
            assert bans_of(imports, row) == [
                (int(row["count"]), int(row["unique_ips"]))
            ]
    found = sum(lines for (lines,) in imports.rows("SELECT lines FROM found_counts"))
    assert found == events["Found"]
    assert imports.rows("SELECT DISTINCT host FROM bans") == [(HOST,)]


def bans_of(imports: Imports, row: dict[str, str]) -> list[tuple[int, int]]:
    return imports.rows(
        "SELECT count(*), count(DISTINCT ip) FROM bans "
        "WHERE jail = ? AND banned_at BETWEEN ? AND ?",
        row["jail"],
        utc(row["first"]),
        utc(row["last"]),
    )


def test_a_second_run_adds_nothing(imports: Imports) -> None:
    folder = data("fail2ban-logs")
    first = imports.facts("fail2ban-log", *ZONE, folder)
    before = imports.content()

    second = imports.facts("fail2ban-log", *ZONE, folder)
    assert second["read"] == second["bans_new"] == 0
    assert second["bytes_read_before"] == first["bytes"]
    assert imports.content() == before

    third = imports.facts("fail2ban-log", *ZONE, "--again", folder)
    assert third["read"] == first["read"]
    assert third["bans_new"] == 0
    assert third["bans_already_there"] == first["bans_new"]
    assert imports.content() == before


def test_real_databases(imports: Imports) -> None:
    files = sorted(data("fail2ban-db").glob("*.sqlite3"))
    tally = imports.facts("fail2ban-db", *files)

    assert tally["files"] == 3
    assert tally["bans_new"] == 1 + 32
    assert tally["besides"]["repeated"] == 32
    assert tally["unparsed"] == tally["undated"] == 0
    counts = dict(imports.rows("SELECT jail, count(*) FROM bans GROUP BY jail"))
    assert counts["dovecot"] == 27
    assert counts["apache-botsearch"] == 5

    before = imports.content()
    assert imports.facts("fail2ban-db", *files)["bans_new"] == 0
    assert imports.content() == before


def test_real_mails_of_two_releases(imports: Imports) -> None:
    for mbox in sorted(data("fail2ban-mails").glob("*.mbox")):
        imports.store = imports.folder / f"{mbox.stem}.db"
        tally = imports.facts("mail", mbox)

        assert tally["read"] == 36
        assert tally["ban_records"] == tally["bans_new"] == 32
        assert tally["besides"] == {"started": 2, "stopped": 2}
        assert tally["unparsed"] == 0
        assert imports.rows("SELECT host, count(*), sum(failures) FROM bans") == [
            ("web1.example.org", 32, 32)
        ]
        assert dict(imports.rows("SELECT jail, count(*) FROM bans GROUP BY jail")) == {
            "apache-botsearch": 5,
            "dovecot": 27,
        }
        before = imports.content()
        assert imports.facts("mail", mbox)["bans_new"] == 0
        assert imports.content() == before


def test_no_bounce_of_other_mail_becomes_a_ban(imports: Imports) -> None:
    folder = data("bounces")
    mails = [path for path in folder.iterdir() if path.suffix in {".eml", ".txt"}]
    assert len(mails) == 77

    tally = imports.facts("mail", *mails)

    assert tally["files"] == 77
    assert tally["besides"] == {"other mail": tally["read"]}
    assert tally["ban_records"] == tally["unparsed"] == 0
    assert imports.rows("SELECT count(*) FROM bans") == [(0,)]


def test_the_how_to_shows_what_is_printed(imports: Imports) -> None:
    logs = data("fail2ban-logs")
    names = {
        "2016-v0.8.11-ssh.log": "fail2ban.log.2",
        "2018-week-a-sshd.log": "fail2ban.log.1",
        "2018-week-b-sshd.log": "fail2ban.log",
    }
    for name, rotated in names.items():
        (imports.folder / rotated).write_bytes((logs / name).read_bytes())
    files = [imports.folder / rotated for rotated in sorted(names.values())]
    mbox = data("fail2ban-mails") / "alerts-v1.0-whois-lines.mbox"
    page = (ROOT / "docs" / "how-to" / "import.md").read_text("utf-8")

    for printed in (
        imports.ran("fail2ban-log", *ZONE, *files).out,
        imports.ran("fail2ban-log", *ZONE, *files).out,
        imports.ran("mail", mbox).out,
    ):
        assert f"\n{printed}```\n" in page
