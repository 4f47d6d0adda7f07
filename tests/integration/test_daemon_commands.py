"""A program of the administrator's, however badly it behaves."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest

from f2b_enrich.daemon.commands import MAX_WORDS, CommandError, run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def program(tmp_path: Path) -> Callable[[str], list[str]]:
    def write(text: str) -> list[str]:
        file = tmp_path / "program"
        file.write_text(f"#!/bin/sh\n{text}\n")
        file.chmod(0o755)
        return [str(file)]

    return write


def is_alive(number: int) -> bool:
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    with open(f"/proc/{number}/stat") as file:  # noqa: PTH123
        return file.read().split()[2] != "Z"


def until_gone(file: Path) -> None:
    number = int(file.read_text())
    until = time.monotonic() + 10
    while is_alive(number):
        assert time.monotonic() < until, "it lives on"
        os.sched_yield()


async def test_it_is_given_the_event_and_its_words_are_heard(
    program: Callable[[str], list[str]],
) -> None:
    words = await run(program("cat; echo more >&2"), b"event\n", seconds=10)
    assert words == "event more"


async def test_arguments_are_not_read_by_a_shell(
    program: Callable[[str], list[str]],
) -> None:
    command = [*program('printf "%s|" "$@"'), "$HOME", "a b", "`id`"]
    assert await run(command, b"", seconds=10) == "$HOME|a b|`id`|"


async def test_its_environment_holds_no_secret(
    program: Callable[[str], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("F2B_ENRICH_IPINFO_TOKEN", "secret")
    words = await run(program("/usr/bin/env; pwd"), b"", seconds=10)
    found = {word.partition("=")[0] for word in words.split()}
    assert found <= {"PATH", "LANG", "PWD", "OLDPWD", "SHLVL", "_", "/"}
    assert words.endswith(" /")


async def test_only_the_first_of_many_words_is_kept(
    program: Callable[[str], list[str]],
) -> None:
    text = "head -c 3000000 /dev/zero | tr '\\0' x; printf '\\033[2J'"
    words = await run(program(text), b"", seconds=20)
    assert len(words) == MAX_WORDS
    assert words.startswith("xxx")


async def test_what_it_says_is_harmless(program: Callable[[str], list[str]]) -> None:
    text = "printf '\\033[2J http://user:pw@hooks.example/?token=abc \\377'"
    words = await run(program(text), b"", seconds=10)
    assert words.isprintable()
    assert "abc" not in words
    assert "pw@" not in words


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("exit 3", "exit status 3"),
        ("echo no network; exit 1", "exit status 1: no network"),
        ("kill -9 $$", "ended by signal 9"),
    ],
)
async def test_its_failure_is_told(
    program: Callable[[str], list[str]], text: str, said: str
) -> None:
    command = program(text)
    with pytest.raises(CommandError) as caught:
        await run(command, b"{}", seconds=10)
    assert str(caught.value) == f"{command[0]}: {said}"


async def test_what_cannot_be_run_is_told(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="No such file"):
        await run([str(tmp_path / "none")], b"", seconds=10)
    with pytest.raises(CommandError, match="Permission denied"):
        await run([str(tmp_path)], b"", seconds=10)
    with pytest.raises(CommandError, match="null byte"):
        await run(["/bin/true", "\0"], b"", seconds=10)


async def test_it_is_killed_at_the_time_limit_with_its_children(
    program: Callable[[str], list[str]], tmp_path: Path
) -> None:
    child = tmp_path / "child"
    command = program(f"sleep 600 & echo $! > {child}; echo started; wait")
    with pytest.raises(CommandError, match=r": over 0\.5 s: started$"):
        await run(command, b"", seconds=0.5)
    until_gone(child)


async def test_what_it_leaves_behind_is_ended(
    program: Callable[[str], list[str]], tmp_path: Path
) -> None:
    child = tmp_path / "child"
    command = program(f"sleep 600 & echo $! > {child}")
    assert await run(command, b"", seconds=10) == ""
    until_gone(child)


async def test_one_that_reads_nothing_is_given_it_all_the_same(
    program: Callable[[str], list[str]],
) -> None:
    assert await run(program("exit 0"), b"x" * 1_000_000, seconds=10) == ""


async def test_nothing_stays_open(program: Callable[[str], list[str]]) -> None:
    command = program("echo")
    await run(command, b"", seconds=10)
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    for _ in range(5):
        await run(command, b"", seconds=10)
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208
