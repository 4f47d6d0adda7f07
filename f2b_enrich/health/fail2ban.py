"""How everything here talks to fail2ban: its own client, one program a question.

F2bEnrichError
└── Fail2BanError          fail2ban did not do what it was asked
    ├── MissingError       there is no fail2ban-client here
    ├── DownError          no server runs
    ├── SilentError        a server runs and does not answer
    ├── DeniedError        its socket is root's
    └── RefusedError       it answered no; `reason` says why, in its words
"""

from __future__ import annotations

import ast
import os
import re
import shlex
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, TypeAlias

from f2b_enrich.errors import F2bEnrichError
from f2b_enrich.inert import cut, printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Word: TypeAlias = "str | tuple[Word, ...]"
"""One word of a command to the server, or several where it takes a list."""

Command: TypeAlias = tuple[Word, ...]
"""What fail2ban-client would send its server."""

PROGRAM = ("fail2ban-client",)
TIMEOUT_SECONDS = 20.0
_LONGEST_REASON = 300
_ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_ANSWERED_NO = "NOK: "

# What logging puts before a message: time, logger, process, level.
_LOGGED = re.compile(r"^(?:\S+ \S+ )?fail2ban\S* +\[\d+\]: (?P<level>[A-Z]+) +")
_PID_FILE = re.compile(r"Using pid file (?P<path>.+), \[\S+\] logging to ")
# The client's own line, with or without what the kernel said; not a server's answer.
_NO_LISTENER = re.compile(
    r"^(?:\S+ \S+ )?fail2ban\S* +\[\d+\]: ERROR +"
    r"(?:(?:\[.*\] )?Unable to contact server|\[Errno \d+\] Connection refused$)",
    re.MULTILINE,
)
_JAILS = re.compile(r"^`- Jail list:[ \t]*(?P<names>.*)$", re.MULTILINE)


class Fail2BanError(F2bEnrichError):
    """fail2ban did not do what it was asked."""


class MissingError(Fail2BanError):
    """There is no fail2ban-client here."""


class DownError(Fail2BanError):
    """No server runs."""


class SilentError(Fail2BanError):
    """A server runs and does not answer."""


class DeniedError(Fail2BanError):
    """The server's socket is not for this user."""


class RefusedError(Fail2BanError):
    """fail2ban answered no; `reason` says why, in its words on one line."""

    def __init__(self, asked: str, reason: str) -> None:
        super().__init__(f"fail2ban refuses {asked}: {reason}")
        self.reason = reason


class Fail2Ban:
    """One fail2ban; `program` ends in the options that choose which, if any.

    Every question starts that program, about 60 ms, and must be asked by root.
    """

    def __init__(
        self,
        program: tuple[str, ...] = PROGRAM,
        *,
        timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> None:
        self.program = program
        self._timeout_seconds = timeout_seconds

    def version(self) -> str:
        """Tell the version that is installed, say 1.0.2; the server need not run."""
        return self._asked("-V").strip()

    def server_version(self) -> str:
        """Tell the version that runs: after an upgrade it may be the old one."""
        return self.send("version").strip()

    def is_running(self) -> bool:
        """Tell whether a server answers.

        Raises:
            SilentError: one runs and does not answer.
            DeniedError: this is not root.
        """
        try:
            self.send("ping")
        except DownError:
            return False
        return True

    def server_pid(self) -> int | None:
        """Tell the server's process, or None where its pid file does not."""
        # Nothing but the client's own talk says which file is in use.
        done = self._run("-v", "ping")
        found = _PID_FILE.search(done.logged)
        if found is None:
            return None
        try:
            return int(Path(found["path"]).read_text("ascii"))
        except (OSError, ValueError):
            return None

    def jails(self) -> tuple[str, ...]:
        """Name the jails of the running server."""
        answer = self.send("status")
        found = _JAILS.search(answer)
        if found is None:
            raise RefusedError("status", "it names no jail list")
        return tuple(filter(None, found["names"].strip().split(", ")))

    def actions(self, jail: str) -> tuple[str, ...]:
        """Name a running jail's actions, in the order in which they are done."""
        # "The jail X has the following actions:" and their names, or one line: none.
        _, _, names = self.send("get", jail, "actions").partition("\n")
        return tuple(filter(None, names.strip().split(", ")))

    def dump(self) -> tuple[Command, ...]:
        """Read what the configuration would have a server told, were it started now.

        A jail with a mistake is left out, as fail2ban does. Numbers and True are
        words here: a server takes either.
        """
        return parse_dump(self._asked("-d"))

    def send(self, *words: str) -> str:
        """Tell the server something; give what it answered, in fail2ban's own words."""
        return self._asked(*words)

    def send_all(self, commands: Iterable[Sequence[str]]) -> None:
        """Tell the server several things in order, by one program where that can.

        A refusal does not keep the rest from being sent.

        Raises:
            RefusedError: the first refusal.
        """
        each = list(commands)
        if any("\n" in word or "\r" in word for words in each for word in words):
            for words in each:  # a line is a command there
                self.send(*words)
            return
        lines = "".join(f"{shlex.join(words)}\n" for words in each)
        done = self._run("-i", told=f"{lines}quit\n")
        if done.code or any(map(_error_in, done.logged.splitlines())):
            _complain(tuple(each[0]), "", done.logged)

    def answers(self, questions: Iterable[Sequence[str]]) -> tuple[str, ...]:
        """Ask several things by one program; give an answer to each, or a refusal.

        Raises:
            RefusedError: the answers cannot be told apart.
        """
        lines = [f"{shlex.join(words)}\n" for words in questions]
        if not lines:
            return ()
        done = self._run("-i", told="".join((*lines, "quit\n")))
        _, *found = re.split(r"^fail2ban> ", done.told, flags=re.MULTILINE)
        if len(found) != len(lines) + 1:  # the last one is behind the quit
            _complain(("-i",), "", done.logged)
        return tuple(answer.rstrip("\n") for answer in found[:-1])

    def check_configuration(self) -> None:
        """Have fail2ban read its configuration.

        Raises:
            RefusedError: it found a mistake; so it does in one that runs, when the
                log of a jail is not there any more.
        """
        self._asked("-t")

    def _asked(self, *words: str) -> str:
        done = self._run(*words)
        if done.code:
            _complain(words, done.told, done.logged)
        return done.told

    def _run(self, *words: str, told: str = "") -> _Done:
        try:
            with self._started(words) as process:
                try:
                    out, err = process.communicate(told.encode(), self._timeout_seconds)
                except BaseException:
                    process.kill()
                    raise
            return _Done(code=process.returncode, told=_text(out), logged=_text(err))
        except FileNotFoundError as exc:
            raise MissingError(f"{self.program[0]}: there is no such program") from exc
        except OSError as exc:
            raise MissingError(f"{self.program[0]}: {exc.strerror}") from exc
        except subprocess.TimeoutExpired as exc:
            raise SilentError(
                f"fail2ban does not answer {_shown(words)}, "
                f"the limit is {self._timeout_seconds:g} s"
            ) from exc

    def _started(self, words: tuple[str, ...]) -> subprocess.Popen[bytes]:
        # Ctrl-C reaches the program as well. What it means is ours to say: it may come
        # while something is undone, which needs the program.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, _ENDS)
        try:
            return subprocess.Popen(  # noqa: S603 - no shell, the words are ours
                [*self.program, *words],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Done:
    code: int
    told: str
    logged: str


def _text(output: bytes) -> str:
    return output.decode("utf-8", "replace")


def parse_dump(text: str) -> tuple[Command, ...]:
    """Read what `fail2ban-client -d` printed: a Python list a line.

    Raises:
        RefusedError: a line is nothing of the kind.
    """
    return tuple(_command(line) for line in text.splitlines() if line.startswith("["))


def _command(line: str) -> Command:
    try:
        # Not eval: the values come from files that others wrote.
        found = ast.literal_eval(line)
    except (ValueError, SyntaxError, MemoryError, RecursionError) as exc:
        # Not the line: it may hold a password.
        raise RefusedError("-d", f"no list of words: {_one_line(str(exc))}") from exc
    return tuple(_word(word) for word in found)


def _word(word: object) -> Word:
    if isinstance(word, list | tuple):
        return tuple(_word(part) for part in word)
    return word if isinstance(word, str) else str(word)


def _complain(words: tuple[str, ...], told: str, logged: str) -> NoReturn:
    """Raise what the failure of fail2ban-client means.

    Its exit code is 255 whatever happened, so the words have to tell.
    """
    if "Permission denied to socket" in logged:
        raise DeniedError("fail2ban answers nobody but root: run this as root")
    if "Failed to access socket path" in logged:
        if os.geteuid():  # the folder may hide it
            raise DeniedError("fail2ban shows its socket to root only: run as root")
        raise DownError("fail2ban does not run: it has no socket")
    if _NO_LISTENER.search(logged):
        raise DownError("fail2ban does not run: nobody listens on its socket")
    raise RefusedError(_shown(words), _reason(told, logged))


def _reason(told: str, logged: str) -> str:
    """Choose the line that says most: the server's answer, else the first error."""
    errors = list(filter(None, map(_error_in, logged.splitlines())))
    # What begins so is the answer once more, in the words of a program.
    own = [error for error in errors if not error.startswith(_ANSWERED_NO)]
    if own:
        return _one_line(own[0].removeprefix("Failed during configuration: "))
    answer = told.strip().removeprefix("ERROR: ").strip("'\" ")
    if not answer and errors:
        answer = errors[0].removeprefix(_ANSWERED_NO)
    return _one_line(answer or logged) or "it does not say why"


def _error_in(line: str) -> str | None:
    found = _LOGGED.match(line)
    if found is None or found["level"] not in {"ERROR", "CRITICAL"}:
        return None
    return line[found.end() :]


def _shown(words: tuple[str, ...]) -> str:
    return cut(printable(" ".join(words)), 80)


def _one_line(text: str) -> str:
    return cut(printable(" ".join(text.split())), _LONGEST_REASON)
