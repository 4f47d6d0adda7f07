"""Whatever is imported, it ends with a count or one clear line, in bounded memory."""

from __future__ import annotations

import gzip
import json
import os
import re
import socket
import sqlite3
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from f2b_enrich.intake.problems import MOST_PROBLEMS
from tests.imports import Imports, imports
from tests.old_mails import report

__all__ = ["imports"]

KINDS = ("fail2ban-log", "fail2ban-db", "mail")
MIB = 1024 * 1024
MOST_MEMORY = 700 * MIB
"""Of addresses, for a process of some 60 MiB: libraries and their stacks take many."""

BOUNDED = f"""\
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, ({MOST_MEMORY}, {MOST_MEMORY}))
from f2b_enrich.cli.main import main
main()
"""
BAN = "2026-11-21 20:39:55,756 fail2ban.actions        [9365]: NOTICE  [lab] Ban {}\n"

LOGS = st.lists(
    st.sampled_from(
        [
            BAN.format("192.0.2.7").encode(),
            b"0000-00-00 00:00:00,000 fail2ban.actions: WARNING [ssh] Ban 192.0.2.7\n",
            b"9999-12-31 23:59:59,999 fail2ban.actions: WARNING [ssh] Ban 192.0.2.7\n",
            b"\r",
            b"\n",
            b"Dec 31 23:59:59 web1 fail2ban.actions: NOTICE [sshd] Ban 2001:db8::7\n",
        ]
    )
    | st.binary(max_size=60),
    max_size=12,
).map(b"".join)
MAILS = st.lists(
    st.sampled_from(
        [
            b"From a@b.example Thu Jul  1 10:11:10 2010\n",
            report().encode(),
            b"\n\n",
            b"Content-Type: multipart/report; boundary=x\n",
        ]
    )
    | st.binary(max_size=60),
    max_size=6,
).map(b"".join)
DATABASES = st.binary(max_size=200).map(lambda data: b"SQLite format 3\0" + data)


def bounded(imports: Imports, kind: str, *words: str | Path) -> tuple[int, str, str]:
    """Run it in a process that gets no more memory."""
    done = subprocess.run(
        (sys.executable, "-c", BOUNDED, *imports.words(kind, *words)),
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    return done.returncode, done.stdout, done.stderr


def refusal(imports: Imports, kind: str, *words: str | Path) -> str:
    """Give the one line that says what is wrong."""
    done = imports.ran(kind, *words)
    assert done.code == 1
    assert done.err.startswith("f2b-enrich: ")
    assert done.err.count("\n") == 1
    return done.err.removeprefix("f2b-enrich: ").removesuffix("\n")


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.one_of(st.binary(max_size=300), LOGS, MAILS, DATABASES))
@settings(max_examples=15)
def test_any_bytes_end_with_a_tally_or_a_line(kind: str, data: bytes) -> None:
    with TemporaryDirectory() as folder:
        imports = Imports(Path(folder))
        file = Path(folder, "old.log")
        file.write_bytes(data)
        done = imports.ran(kind, "--show-unparsed", file)

    assert done.code in {0, 1}
    problems = [line for line in done.err.splitlines() if "unparsed: " not in line]
    assert len(problems) == done.code
    assert done.out.startswith("read ")


@pytest.mark.parametrize("kind", ["fail2ban-log", "mail"])
def test_100_mb_without_a_newline(imports: Imports, kind: str) -> None:
    file = imports.folder / "old.log"
    with file.open("wb") as sparse:
        sparse.truncate(100 * MIB)

    code, out, err = bounded(imports, kind, file)

    assert (code, err) == (0, "")
    assert re.match(r"read {6}1 (line|mail) of 1 file\nbans {6}none\n", out)


def test_a_bomb(imports: Imports) -> None:
    bomb = imports.folder / "fail2ban.log.1.gz"
    bomb.write_bytes(gzip.compress(bytes(8 * MIB)) * 40)

    code, _, err = bounded(imports, "fail2ban-log", bomb)

    assert code == 1
    assert re.fullmatch(
        rf"f2b-enrich: {bomb} is \d+ times as large unpacked as it is, "
        r"the limit is 400\n",
        err,
    )


def test_a_mail_of_10_000_parts(imports: Imports) -> None:
    head = report(more='Content-Type: multipart/mixed; boundary="x"\n', body="")
    part = "--x\nContent-Type: text/plain\n\nabc\n"
    file = imports.folder / "mail"
    file.write_text(f"{head}{part * 10_000}--x--\n")

    code, out, err = bounded(imports, "mail", file)

    assert (code, err) == (0, "")
    assert out.startswith("read      1 mail of 1 file\n")


def test_times_that_nobody_believes(imports: Imports) -> None:
    file = imports.folder / "fail2ban.log"
    years = ("0000", "0001", "1969", "2010", "9999")
    file.write_text(
        "".join(BAN.format("192.0.2.7").replace("2026", year, 1) for year in years)
    )

    tally = imports.facts("fail2ban-log", file)

    assert tally["undated"] == 4
    assert tally["bans_new"] == 1
    assert tally["first_day"] == "2010-11-21"


def test_finds_at_times_that_nobody_believes(imports: Imports) -> None:
    file = imports.folder / "fail2ban.log"
    found = "{} 20:39:53,111 fail2ban.filter [9365]: INFO [lab] Found 192.0.2.7\n"
    days = ("1969-12-31", "1970-01-01", "2010-11-21", "2010-11-21", "9999-12-31")
    file.write_text("".join(map(found.format, days)))

    tally = imports.facts("fail2ban-log", "--timezone", "UTC", file)

    assert tally["undated"] == 2
    assert imports.rows("SELECT day, lines FROM found_counts ORDER BY day") == [
        ("1970-01-01", 1),
        ("2010-11-21", 2),
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_not_there(imports: Imports, kind: str) -> None:
    gone = imports.folder / "gone"
    assert refusal(imports, kind, gone) == f"{gone}: No such file or directory"


@pytest.mark.parametrize("kind", KINDS)
def test_a_folder_without_any(imports: Imports, kind: str) -> None:
    folder = imports.folder / "empty"
    folder.mkdir()
    assert refusal(imports, kind, folder).startswith(str(folder))


def test_a_folder_of_links(imports: Imports) -> None:
    folder = imports.folder / "links"
    folder.mkdir()
    (folder / "a.eml").symlink_to(imports.config)
    assert refusal(imports, "mail", folder) == f"{folder} holds no mail"


@pytest.mark.parametrize(
    ("kind", "words", "fault"),
    [
        *(
            (kind, ("",), "a path is empty, expected a file or a folder")
            for kind in KINDS
        ),
        ("fail2ban-log", ("-", "-"), "standard input (-) can be read only once"),
        ("mail", ("-", "-"), "standard input (-) can be read only once"),
        (
            "fail2ban-db",
            ("-",),
            "a database cannot come from standard input, name its file",
        ),
    ],
)
def test_paths_that_are_none(
    imports: Imports, kind: str, words: tuple[str, ...], fault: str
) -> None:
    done = imports.ran(kind, *words)
    assert done.code == 2
    assert done.err == (
        f"f2b-enrich: {fault}; f2b-enrich import {kind} --help tells more\n"
    )


@pytest.mark.parametrize("kind", KINDS)
def test_a_socket(imports: Imports, kind: str) -> None:
    path = imports.folder / "s"
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(os.fspath(path))
        assert refusal(imports, kind, path).startswith(str(path))


def test_no_permission(
    imports: Imports, as_nobody: tuple[str, ...], short_folder: Path
) -> None:
    secret = short_folder / "fail2ban.log"
    secret.touch(0o600)

    done = imports.ran_by(as_nobody, short_folder, "mail", secret)

    assert done.returncode == 1
    assert done.stderr == f"f2b-enrich: {secret}: Permission denied\n"


def test_others_go_on_when_one_cannot_be_read(imports: Imports) -> None:
    good, bad = imports.folder / "a.log", imports.folder / "b.log.gz"
    good.write_text(BAN.format("192.0.2.7"))
    bad.write_bytes(gzip.compress(BAN.format("192.0.2.8").encode())[:-12])

    done = imports.ran("fail2ban-log", bad, imports.folder / "gone", good)

    assert done.code == 1
    missing, cut_off = done.err.splitlines()
    assert missing == (
        f"f2b-enrich: {imports.folder / 'gone'}: No such file or directory"
    )
    assert cut_off.startswith(f"f2b-enrich: {bad} is cut off, ")
    assert ("192.0.2.7",) in imports.rows("SELECT ip FROM bans")


def test_many_that_cannot_be_read_are_counted(imports: Imports) -> None:
    folder = imports.folder / "mails"
    folder.mkdir()
    cut = gzip.compress(report().encode())[:-12]
    for number in range(MOST_PROBLEMS + 20):
        (folder / f"{number}.eml.gz").write_bytes(cut)

    done = imports.ran("mail", "--json", folder, imports.folder / "gone")

    lines = done.err.splitlines()
    assert lines[0].endswith("/gone: No such file or directory")
    assert len(lines) == MOST_PROBLEMS + 1
    assert lines[-1] == "f2b-enrich: and 21 more could not be read"
    told = json.loads(done.out)
    assert (len(told["problems"]), told["problems_left_out"]) == (MOST_PROBLEMS, 21)


def test_a_cut_log_without_years_gives_what_can_be_read(imports: Imports) -> None:
    lines = "".join(
        f"Nov 20 {number // 60 % 24:02}:{number % 60:02}:00 web1 fail2ban.actions[9]: "
        f"NOTICE  [sshd] Ban 192.0.2.{number % 250}\n"
        for number in range(1400)
    )
    log = imports.folder / "fail2ban.log.1.gz"
    log.write_bytes(gzip.compress(lines.encode())[:-200])
    os.utime(log, (1_700_611_200, 1_700_611_200))  # 22 November 2023

    done = imports.ran("fail2ban-log", "--timezone", "UTC", log)

    assert done.code == 1
    assert done.err.count("\n") == 1
    assert done.err.startswith(f"f2b-enrich: {log} is cut off, ")
    first_at, bans = imports.rows("SELECT min(banned_at), count(*) FROM bans")[0]
    assert first_at == "2023-11-20T00:00:00Z"
    assert bans > 1000


def test_a_database_of_something_else(imports: Imports) -> None:
    other = imports.folder / "other.db"
    db = sqlite3.connect(other)
    db.execute("CREATE TABLE t(x)")
    db.close()
    assert refusal(imports, "fail2ban-db", other).startswith(str(other))


@pytest.mark.parametrize(
    "name", ["", " ", "a b", "a\tb", "\u202ea", "a\x1b[2J", "\u200b"]
)
def test_a_host_that_nobody_could_name(imports: Imports, name: str) -> None:
    file = imports.folder / "fail2ban.log"
    file.write_text(BAN.format("192.0.2.7"))

    done = imports.ran("fail2ban-log", "--host", name, file)

    assert done.code == 2
    assert done.err.startswith("f2b-enrich: invalid value for --host: ")
    assert done.err.count("\n") == 1
    assert not imports.store.exists()


def test_an_unknown_time_zone(imports: Imports) -> None:
    file = imports.folder / "fail2ban.log"
    file.touch()
    refused = refusal(imports, "fail2ban-log", "--timezone", "Mars/../x", file)
    assert refused == (
        "no time zone is called Mars/../x, expected a name such as Europe/Berlin or UTC"
    )
    refused = refusal(imports, "fail2ban-log", "--timezone", "", file)
    assert refused == (
        'no time zone is called "", expected a name such as Europe/Berlin or UTC'
    )
    assert imports.ran("fail2ban-log").code == 2
    assert imports.ran("fail2ban-log", "--enrich", "all", file).code == 2


def test_a_time_zone_in_the_environment_that_has_no_name(
    imports: Imports, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = imports.folder / "fail2ban.log"
    file.write_text(BAN.format("192.0.2.7"))
    monkeypatch.setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3")

    assert refusal(imports, "fail2ban-log", file) == (
        "TZ in the environment is CET-1CEST,M3.5.0,M10.5.0/3, which names no time "
        "zone; give --timezone a name such as Europe/Berlin or UTC"
    )
    imports.facts("fail2ban-log", "--timezone", "Europe/Berlin", file)
