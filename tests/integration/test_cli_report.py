from __future__ import annotations

import csv
import io
import json
import os
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import TZPATH, ZoneInfo, reset_tzpath

import pytest

from f2b_enrich.cli.report_output import patience, write
from tests.cli import Ran, run
from tests.stores import NOW, StoreBuilder, event, located

OCTOBER = datetime(2024, 10, 9, 8, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a store with three bans of two addresses in October 2024, and later ones."""
    made = StoreBuilder(tmp_path_factory.mktemp("report") / "bans.db")
    made.record(
        event(at=OCTOBER),
        event(at=OCTOBER + timedelta(days=2), jail="postfix-sasl"),
        event("192.0.2.8", at=OCTOBER + timedelta(hours=1)),
        event("198.51.100.20", at=NOW),
    )
    made.record(
        event("192.0.2.7", at=OCTOBER + timedelta(minutes=5), jail="recidive"),
        host="mail1",
    )
    other = replace(located("192.0.2.8"), asn=64501, as_name="EXAMPLE HOSTING, LLC")
    made.learn(located(), other)
    made.classify()
    return made.path


def report(store: Path, *words: str | Path) -> Ran:
    return run("report", *words, "--db", store, "--timezone", "UTC")


def test_a_month_is_told_as_text(store: Path) -> None:
    ran = report(store, "--month", "2024-10")

    assert (ran.code, ran.err) == (0, "")
    assert "October 2024" in ran.out
    assert max(map(len, ran.out.splitlines())) <= 80


def test_json_has_the_figures(store: Path) -> None:
    ran = report(store, "--month", "2024-10", "--format", "json", "--top", "3")
    found = json.loads(ran.out)

    assert ran.code == 0
    assert found["totals"]["measure"] == {"bans": 3, "addresses": 2, "attempts": 15}
    assert found["totals"]["repeats"] == 1
    assert found["period"]["label"] == "October 2024"
    assert found["period"]["zone"] == "UTC"
    assert found["top"] == 3


@pytest.mark.parametrize(
    ("words", "bans"),
    [
        (("--jail", "sshd"), 2),
        (("--jail", "sshd", "--jail", "postfix-sasl"), 3),
        (("--service", "mail"), 1),
        (("--exclude-jail", "sshd"), 1),
        (("--network", "192.0.2.8"), 1),
        (("--network", "AS64500"), 2),
        (("--country", "nl"), 3),
        (("--country", "unknown"), 0),
        (("--host", "web1"), 3),
        (("--host", "mail1"), 0),
        (("--without-scanners",), 3),
    ],
)
def test_filters_confine_it(store: Path, words: tuple[str, ...], bans: int) -> None:
    ran = report(store, "--month", "2024-10", "--format", "json", *words)

    assert json.loads(ran.out)["totals"]["measure"]["bans"] == bans


def test_networks_of_one_organisation_are_one_row(store: Path) -> None:
    ran = report(store, "--month", "2024-10", "--format", "json")
    (row,) = json.loads(ran.out)["everything"]["organisations"]["shares"]

    assert (row["addresses"], row["bans"]) == (2, 3)
    assert (row["key"], row["note"]) == ("AS64500, AS64501", "multiple ASNs")


def test_csv_is_a_folder_of_tables(store: Path, tmp_path: Path) -> None:
    folder = tmp_path / "october"
    ran = report(store, "--month", "2024-10", "--format", "csv", "-o", folder)

    assert ran.code == 0
    assert ran.out == ""
    tables = list(folder.glob("*.csv"))
    assert len(tables) > 5
    for table in tables:
        header, *rows = csv.reader(io.StringIO(table.read_text("utf-8"), newline=""))
        assert all(len(row) == len(header) for row in rows)


def test_a_month_without_bans_is_told_so(store: Path) -> None:
    text = report(store, "--month", "2024-08")
    as_json = report(store, "--month", "2024-08", "--format", "json")

    assert (text.code, as_json.code) == (0, 0)
    assert "August 2024" in text.out
    assert as_json.err == "f2b-enrich: no bans in August 2024\n"


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("--jail", "ssdh"), "no jail ssdh; perhaps sshd"),
        (("--jail", "SSHD"), "no jail SSHD; perhaps sshd"),
        (("--host", "web2"), "no host web2; perhaps web1"),
        (("--host", "zzz"), "no host zzz; there are mail1, web1"),
        (("--attack", "ssh"), "no class of attack ssh"),
        (("--country", "XX"), "no country XX"),
        (("--network", "x"), "no network x"),
        (("--service", "irc"), "irc"),
        (("--top", "0"), "--top"),
        (("--top", "1001"), "--top"),
        (("--format", "csv"), "--format csv needs --output FOLDER"),
        (("--last", "7d"), "name one time"),
        (("--jail", "\x1b[31m"), 'no jail "\u241b'),
    ],
)
def test_a_slip_is_one_line_and_wrong_usage(
    store: Path, words: tuple[str, ...], reason: str
) -> None:
    ran = report(store, "--month", "2024-10", *words)

    assert ran.code == 2
    assert ran.out == ""
    assert reason in ran.err
    assert ran.err.count("\n") == 1
    assert ran.err.rstrip("\n").isprintable()


def test_a_zone_that_there_is_not_is_wrong_usage(store: Path) -> None:
    ran = run("report", "--db", store, "--timezone", "Mars/Phobos")

    assert (ran.code, ran.err.count("\n")) == (2, 1)
    assert "no time zone is called Mars/Phobos" in ran.err


def test_a_zone_s_file_needs_no_name(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = Path(TZPATH[0], "Europe/Berlin")
    (tmp_path / "zone").write_bytes(there.read_bytes())
    monkeypatch.setenv("TZ", str(tmp_path / "zone"))

    ran = run("report", "--db", store, "--month", "2024-10")

    assert (ran.code, ran.err) == (0, "")
    about = "2024-10-01 00:00 to 2024-11-01 00:00, CET-1CEST,M3.5.0,M10.5.0/3; made"
    assert about in " ".join(ran.out.split())


def test_utc_is_told_where_no_zone_is_known(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "tzdata", None)
    monkeypatch.setitem(sys.modules, "tzdata.zoneinfo", None)
    reset_tzpath(to=())
    ZoneInfo.clear_cache()
    try:
        ran = report(store, "--month", "2024-10")
    finally:
        reset_tzpath()
        ZoneInfo.clear_cache()

    assert (ran.code, ran.err) == (0, "")
    assert "2024-10-01 00:00 to 2024-11-01 00:00, UTC; made" in ran.out


@pytest.mark.parametrize(
    ("words", "remark"),
    [
        (("--jail", "vsftpd"), "--jail vsftpd: no ban by it was ever recorded"),
        (("--jail", "recidive"), "--jail recidive: it repeats what other jails banned"),
        (("--exclude-jail", "ssdh"), "--exclude-jail: no jail ssdh; perhaps sshd"),
    ],
)
def test_a_jail_that_shows_nothing_is_remarked_on(
    store: Path, words: tuple[str, ...], remark: str
) -> None:
    ran = report(store, "--month", "2024-10", *words)

    assert ran.code == 0
    assert remark in ran.err


def test_settings_are_what_options_do_not_say(store: Path, tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(
        f'[store]\npath = "{store}"\n[report]\ntop = 4\ntimezone = "Asia/Kathmandu"\n'
        '[report.notes]\nssh = "listens on port 2222 elsewhere"\n'
        '[jails.aliases]\nssh-iptables = "sshd"\n'
    )
    words = ("report", "--month", "2024-10", "--format", "json", "--config", path)
    found = json.loads(run(*words, "--jail", "ssh-iptables").out)

    assert (found["top"], found["period"]["zone"]) == (4, "Asia/Kathmandu")
    assert found["totals"]["measure"]["bans"] == 2
    notes = {scope["service"]: scope["note"] for scope in found["services"]}
    assert notes["ssh"] == "listens on port 2222 elsewhere"


def test_a_bad_list_of_organisations_is_one_line(store: Path, tmp_path: Path) -> None:
    own = tmp_path / "organisations.toml"
    own.write_text('[[organisation]]\nname = "A"\n')
    path = tmp_path / "config.toml"
    path.write_text(f'[store]\npath = "{store}"\n[report]\norganisations = "{own}"\n')
    ran = run("report", "--config", path)

    assert (ran.code, ran.err.count("\n")) == (1, 1)
    assert f"report.organisations: {own}: organisation.0: no rule" in ran.err
    assert "organisation.0: no rule" in run("config", "check", "--config", path).out


def test_without_a_store_it_fails(tmp_path: Path) -> None:
    ran = run("report", "--db", tmp_path / "none.db")

    assert (ran.code, ran.out) == (1, "")
    assert "there is none yet" in ran.err


def test_a_file_is_written_whole_and_for_its_owner(tmp_path: Path) -> None:
    path = tmp_path / "report.txt"
    write("one\n", path)
    first = path.stat().st_mode & 0o777
    path.chmod(0o644)
    link = tmp_path / "link.txt"
    link.symlink_to(path)
    write("two\n", link)

    assert (first, path.stat().st_mode & 0o777) == (0o600, 0o644)
    assert path.read_text() == "two\n"
    assert link.is_symlink()
    assert sorted(entry.name for entry in tmp_path.iterdir()) == [
        "link.txt",
        "report.txt",
    ]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_file_keeps_its_owner_and_its_group(tmp_path: Path) -> None:
    path = tmp_path / "report.txt"
    path.write_text("one\n")
    os.chown(path, 12, 34)
    path.chmod(0o640)

    write("two\n", path)

    there = path.stat()
    assert (there.st_uid, there.st_gid, there.st_mode & 0o777) == (12, 34, 0o640)


@pytest.mark.parametrize(("before", "after"), [(0o640, 0o600), (0o664, 0o644)])
def test_a_file_that_cannot_keep_its_group_is_not_for_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: int, after: int
) -> None:
    path = tmp_path / "report.txt"
    path.write_text("one\n")
    path.chmod(before)

    def refuse(*_: int) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "fchown", refuse)
    write("two\n", path)

    assert path.stat().st_mode & 0o777 == after


def test_a_file_that_cannot_be_written_is_named_as_it_was_given(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "round").symlink_to("round")
    reasons = {
        "none/report.txt": "No such file or directory",
        "folder": "Is a directory",
        "round": "Too many levels of symbolic links",
        "/dev/full": "No space left on device",
    }

    for path, reason in reasons.items():
        ran = report(store, "--month", "2024-10", "-o", path)

        assert (ran.code, ran.out) == (1, "")
        assert ran.err == f"f2b-enrich: {path}: {reason}\n"


def test_who_waits_on_a_terminal_is_told_for_what(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    main, side = os.openpty()
    monkeypatch.setattr("f2b_enrich.cli.report_output._SECONDS_BEFORE", 0.0)
    with os.fdopen(side, "w") as terminal, monkeypatch.context() as during:
        during.setattr("sys.stderr", terminal)
        with patience("counting ..."):
            told = os.read(main, 100)
        assert told == b"counting ..."
        assert os.read(main, 100) == b"\r\x1b[K"
    os.close(main)
