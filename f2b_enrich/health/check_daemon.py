"""Whether the daemon takes bans, and is of the version that is installed."""

from __future__ import annotations

import os
import socket
import stat
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
from typing import TYPE_CHECKING

from f2b_enrich.health import check_units
from f2b_enrich.health.cures import RESTART
from f2b_enrich.health.links import crit, ok, unknown, warn
from f2b_enrich.inert import cut, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from f2b_enrich.health.links import Link

_TELLS = "journalctl -u f2b-enrich"
_RENEW = "systemctl restart f2b-enrich"
_LONGEST = 120


class Answer(Enum):
    """How the socket behaved towards a peer that connects and says nothing."""

    HUNG_UP = auto()
    """As the daemon does."""

    MISSING = auto()
    NO_SOCKET = auto()
    REFUSED = auto()
    SILENT = auto()
    BUSY = auto()
    ASLEEP = auto()
    """systemd holds it, for a daemon that does not run."""

    DENIED = auto()
    NOT_THIS_USER = auto()
    ODD = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class SocketFacts:
    """What is at the daemon's socket; `owner` is the user's number."""

    path: Path
    answer: Answer
    said: str = ""
    owner: int | None = None


def look(
    path: Path,
    *,
    seconds: float,
    waiting: Callable[[Path], str | None] = check_units.waiting,
) -> SocketFacts:
    """Connect, say that nothing follows, and see who hangs up and how.

    Not where `waiting` gives the state of a daemon that this would start.
    """
    try:
        found = path.stat()
    except PermissionError:
        return SocketFacts(path=path, answer=Answer.DENIED)
    except OSError:
        return SocketFacts(path=path, answer=Answer.MISSING)
    if not stat.S_ISSOCK(found.st_mode):
        return SocketFacts(path=path, answer=Answer.NO_SOCKET)
    state = waiting(path)
    if state is not None:
        answer, said = Answer.ASLEEP, state
    else:
        answer, said = _ask(path, seconds)
    return SocketFacts(path=path, answer=answer, said=said, owner=found.st_uid)


def _ask(path: Path, seconds: float) -> tuple[Answer, str]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(seconds)
        try:
            connection.connect(os.fspath(path))
            connection.shutdown(socket.SHUT_WR)
            said = connection.recv(512)
        except PermissionError:
            return Answer.DENIED, ""
        except (TimeoutError, BlockingIOError):
            return Answer.SILENT, f"within {seconds:g} s"
        except OSError as exc:
            return Answer.REFUSED, exc.strerror or str(exc)
    if not said:
        return Answer.HUNG_UP, ""
    text = cut(printable(said.decode("utf-8", "replace").strip()), _LONGEST)
    ours = ((b"error user ", Answer.NOT_THIS_USER), (b"error over ", Answer.BUSY))
    return next((who for word, who in ours if said.startswith(word)), Answer.ODD), text


def links(
    facts: SocketFacts, *, owners: frozenset[int], is_outdated: bool | None
) -> Iterator[Link]:
    """Say whether bans are taken.

    `owners` are the users whose socket it may be; `is_outdated` says that the daemon
    started before this version was installed, None that it is not known.
    """
    if facts.owner is not None and facts.owner not in owners:
        yield crit(
            "daemon",
            f"{facts.path} belongs to user {facts.owner}, neither root nor f2b-enrich: "
            "whoever that is may take the bans",
            f"find out who made it, remove it; {RESTART}",
        )
    elif facts.answer is Answer.HUNG_UP:
        yield from _working(facts.path, is_outdated=is_outdated)
    else:
        yield _trouble(facts)


def _working(path: Path, *, is_outdated: bool | None) -> Iterator[Link]:
    if is_outdated:
        yield warn(
            "daemon",
            f"answers on {path}, but was started before this version was installed",
            _RENEW,
        )
    else:
        version = "of this version; " if is_outdated is False else ""
        yield ok("daemon", f"{version}answers on {path}")


def _trouble(facts: SocketFacts) -> Link:
    path, said = facts.path, facts.said
    if facts.answer is Answer.NOT_THIS_USER:
        return unknown("daemon", f"it answers: {said}", "run this as root")
    if facts.answer is Answer.BUSY:
        cure = (
            f"bans wait in the spool meanwhile; ss -xp src {path} tells whose they are"
        )
        return warn("daemon", f"it answers: {said}", cure)
    if facts.answer is Answer.ASLEEP:
        return _asleep(said)
    broken = {
        Answer.MISSING: (f"there is no socket {path}", f"{RESTART}; {_TELLS}"),
        Answer.NO_SOCKET: (f"{path} is no socket", f"remove it; {RESTART}"),
        Answer.REFUSED: (f"nobody answers on {path} ({said})", f"{RESTART}; {_TELLS}"),
        Answer.SILENT: (
            f"no answer on {path} {said}: it hangs, or somebody else listens",
            f"{RESTART}; {_TELLS}",
        ),
        Answer.ODD: (
            f"another program listens on {path}, it says {said!r}",
            f"stop that program; {RESTART}",
        ),
    }
    if facts.answer in broken:
        return crit("daemon", *broken[facts.answer])
    return unknown("daemon", f"{path}: not for this user", "run this as root")


def _asleep(state: str) -> Link:
    cure = f"{RESTART}; {_TELLS}"
    if state == "failed":
        return crit("daemon", "it ended, and systemd does not start it again", cure)
    if state == "activating":
        text = "systemd is starting it, for the first time or again and again"
        return warn("daemon", text, _TELLS)
    text = f"it does not run (systemd says {state}); the next ban starts it"
    return warn("daemon", text, cure)
