"""A store full of secrets: none is in an export, whatever is asked for.

What is looked for is what the store holds: each text of each column of each table,
those included that a later version adds, but for the few that an export is to tell.
"""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from f2b_enrich.model import OutboxState
from tests.cli import run
from tests.hostile import reported
from tests.stores import StoreBuilder, event, located

if TYPE_CHECKING:
    from pathlib import Path

TOLD = {
    *("enrichments.country_code", "enrichments.country", "enrichments.region"),
    *("enrichments.city", "jails.service", "jails.attack", "bans.attack"),
    *("ban_attacks.attack", "hosts.country_code"),
}
"""Columns that an export tells, or words of ours that it may."""

NAMES_NETWORKS = {"enrichments.as_name"}
"""Told by the summary alone."""

SHORTEST = 5
"""Letters of a text from which on it cannot be part of a word by chance."""

_DAY = re.compile(r"\d{4}-\d\d-\d\d")
"""A day alone is told; the time of a ban is not."""

MONTH = ("--month", "2024-10")
OCTOBER = datetime(2024, 10, 21, 20, 14, 3, tzinfo=UTC)
JAIL, HOST = "anna-lovelace", "mail.bertha.example"
IPS = [
    *(f"198.51.100.{number}" for number in range(101, 121)),
    *(f"2001:db8:0:{number:x}::77" for number in range(0x101, 0x109)),
    *("203.0.113.250", "203.0.113.128/26"),
]
LINES = (
    "sshd[7]: Failed password for invalid user letmein-hunter2 from 198.51.100.101",
    "postfix/smtpd[8]: NOQUEUE: reject: RCPT from cust77.carla.example[198.51.100.102]:"
    " 554 5.7.1 from=<dora@dora.example> to=<emil@emil.example> helo=<freya-laptop>",
    '198.51.100.103 - - [21/Oct/2024:20:14:03 +0000] "GET /secret-path/gustav.php '
    'HTTP/1.1" 404 9 "-" "agent-henrike/1.0"',
)
OLD_LOG = "".join(
    f"2024-10-{day:02} 03:04:05,678 fail2ban.actions        [99]: NOTICE  "
    f"[ida-private] Ban 198.51.100.{100 + day}\n"
    for day in range(1, 21)
)
SETTINGS = """
host = "mail.bertha.example"
[report.notes]
ssh = "ask konrad-secret, port 2222"
[jails.own.anna-lovelace]
service = "ssh"
"""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a store that bans came into by each way, and with no table left empty."""
    folder = tmp_path_factory.mktemp("secrets")
    made = StoreBuilder(folder / "bans.db", host=HOST)
    for number, ip in enumerate(IPS):
        at = OCTOBER - timedelta(hours=7 * number)
        ban = reported(LINES, jail=JAIL, ip=ip, user="letmein-hunter2")
        made.record(replace(ban, at=at, failed_at=at.timestamp()))
        made.record(event(ip, at=at + timedelta(minutes=1), jail="recidive"))
    made.classify()
    for number, ip in enumerate(IPS):
        found = replace(
            located(ip),
            hostname=f"ptr{number}.ludwig.example",
            abuse_contact="abuse-mona@mona.example",
            as_name="Norbert Private Network",
            as_domain="norbert.example",
            raw={"note": "raw-olga"},
        )
        known = found if number % 3 else replace(found, city="Haarlem", region="Noord")
        made.learn(known)
    made.mail(made.ids[0], state=OutboxState.SENT, recipient="paul@quentin.example")
    log = folder / "fail2ban.log"
    log.write_text(OLD_LOG, "utf-8")
    (folder / "config.toml").write_text(SETTINGS, "utf-8")
    words = (
        "import",
        "fail2ban-log",
        log,
        "--host",
        "rosa.example",
        "--timezone",
        "UTC",
    )
    ran = run(*words, "--db", made.path)
    assert (ran.code, "bans      20" in ran.out) == (0, True), ran.out
    _fill_what_is_empty(made.path)
    return made.path


def _fill_what_is_empty(path: Path) -> None:
    """Put a row of secrets into each table that nothing else has filled."""
    with closing(sqlite3.connect(path)) as connection, connection:
        for table in _tables(connection):
            rows = connection.execute(f"SELECT 1 FROM {table}")  # noqa: S608
            if rows.fetchone():
                continue
            columns = connection.execute(f"PRAGMA table_info({table})").fetchall()
            values = [
                _secret(kind, f"secret-{table}-{name}") for _, name, kind, *_ in columns
            ]
            marks = ", ".join("?" * len(values))
            insert = f"INSERT INTO {table} VALUES ({marks})"  # noqa: S608
            connection.execute(insert, values)


def _secret(kind: str, text: str) -> object:
    return {"TEXT": text, "BLOB": text.encode()}.get(kind, 1)


def _tables(connection: sqlite3.Connection) -> list[str]:
    rows = connection.execute(
        "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' "
        "AND name NOT LIKE 'sqlite_%'"
    )
    return sorted(name for (name,) in rows)


@pytest.fixture(scope="module")
def secrets(store: Path) -> dict[str, set[str]]:
    """Give each text of the store, with the columns that have it."""
    found: dict[str, set[str]] = {}
    with closing(sqlite3.connect(store)) as connection:
        for table in _tables(connection):
            for _, name, *_ in connection.execute(f"PRAGMA table_info({table})"):
                column = f"{table}.{name}"
                query = f'SELECT DISTINCT "{name}" FROM {table}'  # noqa: S608
                for (value,) in connection.execute(query):
                    if isinstance(value, bytes):
                        found.setdefault(value.decode("latin-1"), set()).add(column)
                    elif isinstance(value, str):
                        found.setdefault(value, set()).add(column)
    told = {text for text, columns in found.items() if columns & TOLD}
    words = {text: columns for text, columns in found.items() if text not in told}
    # And what stands in texts: each name and address of the lines by itself.
    for line in (*LINES, OLD_LOG):
        for part in re.findall(r"[\w.:@/-]{6,}", line):
            words.setdefault(part, {"line"})
    words.update({text: {"setting"} for text in ("konrad-secret", "ask konrad")})
    return {
        text: of
        for text, of in words.items()
        if len(text) >= SHORTEST and not _DAY.fullmatch(text)
    }


def expose(content: bytes, secrets: dict[str, set[str]], *, names: bool) -> set[str]:
    """Give the secrets that stand in a file's bytes."""
    text = content.decode("utf-8", "replace")
    return {
        secret
        for secret, columns in secrets.items()
        if secret in text and not (names and columns & NAMES_NETWORKS)
    }


FILTERS = (
    (),
    ("--jail", JAIL),
    ("--host", HOST, "--service", "other"),
    ("--network", "198.51.100.101"),
    ("--network", "198.51.100.0/24", "--network", "AS64500"),
    ("--country", "NL", "--exclude-jail", JAIL),
    ("--exclude-jail", "ida-private", "--without-scanners"),
)


def test_the_store_is_full_of_secrets(
    store: Path, secrets: dict[str, set[str]]
) -> None:
    """Else that none is found would mean nothing."""
    columns = {column for of in secrets.values() for column in of}

    for secret in ("letmein-hunter2", "anna-lovelace", "rosa.example", "ida-private"):
        assert secret in secrets
    for column in (
        *("bans.ip", "bans.subnet", "bans.host", "bans.jail", "log_lines.line"),
        *("observed.value", "enrichments.hostname", "enrichments.raw"),
        *("enrichments.abuse_contact", "outbox.recipient", "campaigns.first_name"),
        *("campaigns.who", "bounces.diagnostic", "bans.banned_at"),
    ):
        assert column in columns
    assert len(expose(store.read_bytes(), secrets, names=False)) > 50


def test_the_exports_of_it_tell_something(store: Path, tmp_path: Path) -> None:
    """Else that nothing is given away would mean nothing either."""
    bans, summary = tmp_path / "bans.csv", tmp_path / "summary.json"

    assert _export(store, "anonymised", "--dates", "month", "-o", bans) == 0
    assert _export(store, "summary", "-o", summary) == 0
    assert "Amsterdam,64500,2024-10,other" in bans.read_text("utf-8")
    assert "Amsterdam" in summary.read_text("utf-8")


@pytest.mark.parametrize("form", ["csv", "jsonl", "sqlite"])
@pytest.mark.parametrize("filters", FILTERS)
@pytest.mark.parametrize("least", [1, 2, 5, 1000])
def test_no_secret_is_in_the_anonymised_bans(
    store: Path,
    secrets: dict[str, set[str]],
    tmp_path: Path,
    form: str,
    filters: tuple[str, ...],
    least: int,
) -> None:
    for dates in ("day", "month"):
        output = tmp_path / f"bans.{dates}"
        words = ("--format", form, "--dates", dates, "--min-cell", str(least))
        ran = _export(store, "anonymised", *words, *filters, "-o", output)

        assert ran == 0
        assert expose(output.read_bytes(), secrets, names=False) == set()
        assert {path.name for path in tmp_path.iterdir()} <= {"bans.day", "bans.month"}


@pytest.mark.parametrize("filters", FILTERS)
@pytest.mark.parametrize("least", [1, 2, 5, 1000])
def test_no_secret_is_in_the_summary(
    store: Path,
    secrets: dict[str, set[str]],
    tmp_path: Path,
    filters: tuple[str, ...],
    least: int,
) -> None:
    output = tmp_path / "summary.json"
    words = ("--min-cell", str(least), "--top", "1000", "--timezone", "UTC")
    ran = _export(store, "summary", *words, *filters, "-o", output)

    assert ran == 0
    assert expose(output.read_bytes(), secrets, names=True) == set()


def _export(store: Path, *words: str | Path) -> int:
    config = store.parent / "config.toml"
    return run("export", *words, *MONTH, "--db", store, "--config", config).code
