"""The command as a whole: help, exit codes, errors, hostile values, the reference."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from f2b_enrich import __version__
from f2b_enrich.cli import reference
from f2b_enrich.cli.main import cli
from f2b_enrich.model import Enrichment, OutboxState
from tests import uncovered
from tests.cli import run
from tests.stores import StoreBuilder, event, filled

COMMAND = (sys.executable, "-m", "f2b_enrich")
ROOT = Path(__file__).parents[2]

COMMANDS = {
    context.command_path: context for context in reference.walk(cli, "f2b-enrich")
}
LEAVES = {
    path: context
    for path, context in COMMANDS.items()
    if not hasattr(context.command, "commands")
}


def program(*words: str | Path, cwd: Path | None = None) -> str:
    """Run the real program; give its exit code and what it said, for comparing."""
    ran = subprocess.run(
        (*COMMAND, *words), capture_output=True, text=True, check=False, cwd=cwd
    )
    return f"{ran.returncode}\n{ran.stdout}{ran.stderr}"


@pytest.mark.parametrize("path", sorted(LEAVES))
def test_the_help_of_every_command_has_an_example(path: str) -> None:
    context = LEAVES[path]
    text = context.command.get_help(context)

    assert "Example" in text
    assert f"  {path}" in text or f"Example: {path}" in text


@pytest.mark.parametrize("path", sorted(LEAVES))
def test_every_command_takes_config_and_db(path: str) -> None:
    names = {name for param in LEAVES[path].command.params for name in param.opts}

    assert {"--config", "--db"} <= names


@pytest.mark.parametrize("path", sorted(COMMANDS))
def test_help_is_there_in_short_and_long(path: str) -> None:
    words = path.split()[1:]
    for option in ("-h", "--help"):
        ran = CliRunner().invoke(cli, [*words, option])

        assert ran.exit_code == 0
        assert ran.stdout.startswith("Usage: ")


@pytest.mark.parametrize("page", sorted(reference.PAGES))
def test_the_reference_is_up_to_date(page: str) -> None:
    written = (ROOT / "docs" / "reference" / page).read_text("utf-8")

    assert written == reference.PAGES[page](), (
        "run: python -m f2b_enrich.cli.reference docs/reference"
    )


def test_the_reference_is_written_by_one_command(tmp_path: Path) -> None:
    ran = CliRunner().invoke(reference.write, [str(tmp_path / "reference")])

    assert ran.exit_code == 0
    assert {path.name for path in (tmp_path / "reference").iterdir()} == {
        "cli.md",
        "config.md",
    }


def test_the_version_is_told() -> None:
    assert program("--version") == f"0\nf2b-enrich, version {__version__}\n"


def test_an_error_is_one_line_and_one(tmp_path: Path) -> None:
    assert program("show", "192.0.2.7", "--db", tmp_path / "bans.db") == (
        f"1\nf2b-enrich: store {tmp_path}/bans.db: there is none yet, "
        "the daemon makes it\n"
    )


def test_every_problem_of_a_configuration_is_a_line(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text("hots = 1\nmali = 2\n")

    assert program("status", "--config", file) == (
        f"1\nf2b-enrich: {file}: hots: no such key\n"
        f"f2b-enrich: {file}: mali: no such key\n"
    )


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("no-such-command",), "no such command 'no-such-command'; f2b-enrich --help"),
        (("show",), "missing argument 'IP'; f2b-enrich show --help"),
        (("bans", "list", "--limit", "x"), "invalid value for '--limit': 'x' is not"),
        (("outbox", "retry"), "name one ID, or --all-dead; f2b-enrich outbox retry"),
        (("search", "?"), "TEXT: no letter or digit to look for; f2b-enrich search"),
        (("outbox", "list", "--state", "\x1b[2J\n\u202e"), "invalid value for '--st"),
        (("show", "--\x1b]0;x\x07\nfoo"), "no such option "),
        (("\x1b[31m\x85\u2028",), "no such command "),
        (("show", "a", "\x1b[31m"), "got unexpected extra argument "),
        (("status", "--config", "\x1b[2J/.."), None),
    ],
)
def test_wrong_usage_is_one_line_and_two(
    words: tuple[str, ...], told: str | None
) -> None:
    ran = run(*words)

    assert (ran.code, ran.out) == (1 if told is None else 2, "")
    assert ran.err.startswith(f"f2b-enrich: {told or ''}")
    assert ran.err.count("\n") == 1
    assert ran.err.removesuffix("\n").isprintable()


def test_the_program_calls_itself_by_its_name() -> None:
    assert program("show") == (
        "2\nf2b-enrich: missing argument 'IP'; f2b-enrich show --help tells more\n"
    )


@pytest.mark.parametrize(
    "words", [("bans", "list"), ("status",), ("show", "192.0.2.7"), ("--help",)]
)
@pytest.mark.parametrize("closed", [">&-", ">&- <&-", ">&- 2>&- <&-"])
def test_a_closed_output_is_a_quiet_failure(
    tmp_path: Path, words: tuple[str, ...], closed: str
) -> None:
    filled(tmp_path / "bans.db")
    before = (tmp_path / "bans.db").read_bytes()
    options = () if words == ("--help",) else ("--db", tmp_path / "bans.db")

    ran = subprocess.run(
        ("sh", "-c", f'exec "$@" {closed}', "sh", *COMMAND, *words, *options),
        stderr=subprocess.PIPE,
        check=False,
    )

    assert (ran.returncode, ran.stderr) == (1, b"")
    assert (tmp_path / "bans.db").read_bytes() == before


def test_a_closed_output_does_not_hinder_what_prints_nothing(tmp_path: Path) -> None:
    target = tmp_path / "config.toml"

    ran = subprocess.run(
        (
            *("sh", "-c", 'exec "$@" >&-', "sh"),
            *(*COMMAND, "config", "init", str(target)),
        ),
        stderr=subprocess.PIPE,
        check=False,
    )

    assert (ran.returncode, ran.stderr) == (0, f"{target}: written\n".encode())


@pytest.mark.parametrize("option", ["--db", "--config"])
def test_a_file_that_may_not_be_read_is_one_line(
    short_folder: Path, as_nobody: tuple[str, ...], option: str
) -> None:
    filled(short_folder / "f")
    (short_folder / "f").chmod(0o600)

    ran = subprocess.run(
        (*as_nobody, *COMMAND, "bans", "list", option, short_folder / "f"),
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
        env={},
    )

    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr.startswith("f2b-enrich: ")
    assert f"{short_folder}/f: " in ran.stderr
    assert ran.stderr.count("\n") == 1


def test_the_command_alone_shows_its_help() -> None:
    assert re.search(r"^ +status +Show how things stand", run().err, re.MULTILINE)


def test_a_reader_who_has_seen_enough_is_no_error(tmp_path: Path) -> None:
    filled(tmp_path / "bans.db")
    reading, writing = os.pipe()
    os.close(reading)
    try:
        ran = subprocess.run(
            (*COMMAND, "bans", "list", "--csv", "--db", tmp_path / "bans.db"),
            stdout=writing,
            stderr=subprocess.PIPE,
            check=False,
        )
    finally:
        os.close(writing)

    assert (ran.returncode, ran.stderr) == (1, b"")


def test_a_full_disk_is_one_line(tmp_path: Path) -> None:
    filled(tmp_path / "bans.db")
    with Path("/dev/full").open("wb") as full:
        ran = subprocess.run(
            (*COMMAND, "bans", "list", "--db", tmp_path / "bans.db"),
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )

    assert ran.returncode == 1
    assert ran.stderr == (
        b"f2b-enrich: cannot write the output: No space left on device\n"
    )


def test_too_little_memory_is_one_line() -> None:
    asks = (
        "import sys\n"
        "from f2b_enrich.cli import main\n"
        "ask = main.click.Command('ask', callback=lambda: bytearray(1 << 60))\n"
        "main.cli.get_command = lambda *_: ask\n"
        "sys.argv = ['f2b-enrich', 'ask']\n"
        "main.main()\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", asks], capture_output=True, text=True, check=False
    )
    assert (ran.returncode, ran.stderr) == (1, "f2b-enrich: out of memory\n")


def test_ctrl_c_is_quiet(short_folder: Path) -> None:
    config = short_folder / "config.toml"
    path = short_folder / "s"
    config.write_text(f'daemon.socket = "{path}"\n')
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(path))
        listener.listen()
        listener.settimeout(30)
        with subprocess.Popen(
            (*COMMAND, "status", "--config", config),
            env=uncovered.environ(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as asking:
            connection, _ = listener.accept()  # it now waits for an answer
            with connection:
                asking.send_signal(signal.SIGINT)
                out, err = asking.communicate(timeout=30)

    assert (asking.returncode, out, err.strip()) == (130, b"", b"")


def test_a_terminal_that_lacks_a_character_gets_its_number(tmp_path: Path) -> None:
    StoreBuilder(tmp_path / "bans.db").record(event(jail="dj\u00e9\u4eac"))
    ran = subprocess.run(
        (*COMMAND, "bans", "list", "--db", tmp_path / "bans.db"),
        capture_output=True,
        check=True,
        env={**os.environ, "PYTHONIOENCODING": "latin-1", "PYTHONUTF8": "0"},
    )

    assert b"dj\xe9\\u4eac" in ran.stdout


hostile = st.text(
    st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1
)


@settings(max_examples=25)
@given(jail=hostile, ip=hostile, line=hostile, name=hostile)
def test_what_an_attacker_wrote_never_reaches_the_terminal_raw(
    jail: str, ip: str, line: str, name: str
) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "bans.db"
        store = StoreBuilder(path)
        now = datetime.now(UTC)
        [ban] = store.record(event(ip, jail=jail, lines=(line,), at=now))
        with store.reading() as connection:
            key = connection.execute("SELECT ip FROM bans").fetchone()[0]
        found = Enrichment(
            ip=key, looked_up_at=now, source=name, hostname=name, as_name=name
        )
        store.learn(found)
        store.mail(ban, recipient=name, state=OutboxState.DEAD, error=line)
        for words in (
            ("status",),
            ("status", "--json"),
            ("show", ban, "--lines"),
            ("show", ban, "--lines", "--json"),
            ("show", ban, "--all"),
            ("search", "a*"),
            ("outbox", "list", "--csv"),
            ("bans", "list"),
            ("bans", "list", "--csv"),
            ("bans", "list", "--json"),
            ("outbox", "list"),
            ("outbox", "show", "1"),
        ):
            ran = run(*words, "--db", path)

            assert ran.code == 0, (words, ran)
            assert all(text.isprintable() for text in ran.out.split("\n")), words
