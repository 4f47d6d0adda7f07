"""The Tab key in real shells: bash, zsh and fish, on a terminal."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import re
import select
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from f2b_enrich.cli import completion

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FOLDER = Path(__file__).parents[2] / "completions"

ATTACK = "ssh-password-guessing"

# Started for a completion it answers as the command does; else it notes its words.
PROGRAM = """\
#!/bin/sh
if [ -n "${{_F2B_ENRICH_COMPLETE-}}" ]; then
    echo tab >>{log}
    {python} -m f2b_enrich "$@"
    echo answered >>{log}
    exit
fi
{python} -S -c 'import json, sys; print(json.dumps(sys.argv[1:]))' "$@" >>{log}
"""


@dataclass
class Shell:
    """A shell on a terminal of its own, in a home that has only our file in it."""

    log: Path
    terminal: int
    process: subprocess.Popen[bytes]
    lists: str = ""
    """What to type for a list of what may follow `config`."""

    seen: bytes = b""
    told_at_start: list[str] = field(default_factory=list)

    def type(self, text: str) -> None:
        """Type as a person does: what comes of a Tab is looked at before going on."""
        for part in re.findall(r"[^\t]+|\t", text):
            before = self.told().count("answered")
            os.write(self.terminal, part.encode())
            if part == "\t":
                self._until(partial(self._has_answered, before))
                self._until_quiet()

    def _has_answered(self, before: int) -> bool:
        return self.told().count("answered") > before

    def entered(self, text: str) -> list[str]:
        """Type a line, Tabs in it; give the words that the program is called with."""
        before = len(self.called())
        self.type(text + "\r")
        assert self._until(lambda: len(self.called()) > before), self.seen[-2000:]
        return self.called()[-1]

    def clear(self) -> None:
        """Give the line up, as Ctrl-C does."""
        self.type("\x03")
        self._until_quiet()

    def called(self) -> list[list[str]]:
        return [json.loads(line) for line in self.told() if line.startswith("[")]

    def told(self) -> list[str]:
        return self.log.read_text().splitlines() if self.log.exists() else []

    def shows(self, text: str) -> bool:
        return self._until(lambda: text.encode() in self.seen)

    def _until(self, true: Callable[[], bool]) -> bool:
        """Read what the shell says, which it would wait for, until a thing is true."""
        end = time.monotonic() + 15
        while not true():
            if time.monotonic() > end:
                return False
            self._read(0.05)
        return True

    def _until_quiet(self) -> None:
        while self._read(0.2):
            pass

    def _read(self, seconds: float) -> bool:
        if not select.select([self.terminal], [], [], seconds)[0]:
            return False
        with contextlib.suppress(OSError):  # the shell has ended
            said = os.read(self.terminal, 65536)
            self.seen += said
            return bool(said)
        return False


@contextlib.contextmanager
def running(home: Path, log: Path, *command: str) -> Iterator[Shell]:
    ours, theirs = pty.openpty()
    environ = {
        "PATH": f"{home / 'bin'}:/usr/bin:/bin",
        "HOME": str(home),
        "ZDOTDIR": str(home),
        "TERM": "dumb",
        "LC_ALL": "C.UTF-8",
    }
    with subprocess.Popen(
        # fish insists on a terminal that controls it.
        ("setsid", "--ctty", *command),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=environ,
        cwd=home,
    ) as process:
        os.close(theirs)
        try:
            yield Shell(log, ours, process)
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            os.close(ours)


def in_bash(home: Path) -> tuple[str, ...]:
    # What bash-completion does at the first Tab after the command.
    (home / ".bashrc").write_text(f". {home}/f2b-enrich.bash\nPS1='ready> '\n")
    return ("bash", "--noprofile", "--rcfile", str(home / ".bashrc"), "-i")


def in_zsh(home: Path) -> tuple[str, ...]:
    (home / ".zshrc").write_text(
        f"fpath=({home} $fpath)\nautoload -Uz compinit\ncompinit -u -d {home}/dump\n"
        "setopt no_beep\nPS1='ready> '\n"
    )
    return ("zsh", "-d", "-i")


def in_fish(home: Path) -> tuple[str, ...]:
    folder = home / ".config" / "fish" / "completions"
    folder.mkdir(parents=True)
    shutil.copy(home / "f2b-enrich.fish", folder)
    told = "function fish_prompt; echo -n 'ready> '; end; function fish_greeting; end"
    return ("fish", "-i", "-C", told)


SHELLS = {"bash": in_bash, "zsh": in_zsh, "fish": in_fish}
LISTS = {
    "bash": "f2b-enrich config \t\t",
    "zsh": "f2b-enrich config \t",
    # On a terminal that can do nothing its list is of one.
    "fish": "complete --do-complete 'f2b-enrich config '\r",
}


@pytest.fixture(params=SHELLS, scope="module")
def shell(request: pytest.FixtureRequest) -> Iterator[Shell]:
    """Give a shell with our completion, at its prompt; each starts once."""
    home = Path(tempfile.mkdtemp(prefix="f2b-"))
    log = home / "log"
    (home / "bin").mkdir()
    program = home / "bin" / "f2b-enrich"
    program.write_text(
        PROGRAM.format(log=shlex.quote(str(log)), python=shlex.quote(sys.executable))
    )
    program.chmod(0o755)
    for name in completion.FILES:
        shutil.copy(FOLDER / name, home)
    with running(home, log, *SHELLS[request.param](home)) as shell:
        assert shell.shows("ready> "), shell.seen
        shell.lists = LISTS[request.param]
        shell.told_at_start = shell.told()
        yield shell
    shutil.rmtree(home)


def test_a_shell_starts_without_starting_python(shell: Shell) -> None:
    assert shell.told_at_start == []


def test_a_line_without_tab_asks_nothing(shell: Shell) -> None:
    before = shell.told().count("tab")
    assert shell.entered("f2b-enrich status") == ["status"]
    assert shell.told().count("tab") == before


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("outb\t", ["outbox"]),
        ("ban\tli\t", ["bans", "list"]),
        ("bans list --sin\t7d --js\t", ["bans", "list", "--since", "7d", "--json"]),
        ("bans list --attack ssh-pa\t", ["bans", "list", "--attack", ATTACK]),
        ("outbox list --state sk\t", ["outbox", "list", "--state", "skipped"]),
    ],
)
def test_tab_completes(shell: Shell, typed: str, words: list[str]) -> None:
    assert shell.entered(f"f2b-enrich {typed}") == words


def test_tab_completes_the_names_of_files(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "my config.toml"
    file.touch()
    typed = f"f2b-enrich config check --config {tmp_path}/my\t"
    assert shell.entered(typed) == ["config", "check", "--config", str(file)]


def test_a_shell_lists_what_there_is(shell: Shell) -> None:
    shell.type(shell.lists)
    for name in ("check", "init", "show"):
        assert shell.shows(name), shell.seen[-2000:]
    shell.clear()


@pytest.mark.parametrize("name", completion.FILES)
def test_a_file_is_what_click_writes_today(name: str) -> None:
    assert (FOLDER / name).read_text("utf-8") == completion.script(
        completion.FILES[name]
    ), "write them anew: .venv/bin/python -m f2b_enrich.cli.completion completions"


def test_only_the_files_of_three_shells_are_there(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "f2b_enrich.cli.completion", str(tmp_path)], check=True
    )
    made = {each.name: each.read_bytes() for each in tmp_path.iterdir()}
    assert made == {each.name: each.read_bytes() for each in FOLDER.iterdir()}
