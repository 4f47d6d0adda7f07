"""Whether the system's Python runs the client, tried without an event for anyone."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from f2b_enrich.health.cures import command
from f2b_enrich.health.handing import STOCK
from f2b_enrich.health.links import crit, ok, warn
from f2b_enrich.inert import cut, printable
from f2b_enrich.wire import END

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from f2b_enrich.health.handing import Handing
    from f2b_enrich.health.links import Link

PROGRAMS = ("client.py", "handover.py")
SLOW_SECONDS = 0.25
"""A client takes a fiftieth of a second; all jails wait for it."""

_AGAIN = "run install.sh again"
_SET = "of [Init] in action.d/f2b-enrich.local"
_LONGEST = 200
_EAR = "socket"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """How one run of a client went; `arrived` says whether its request did.

    `seconds` is the wall time, `said` the last line of its complaint.
    """

    handing: Handing
    missing: str | None = None
    arrived: bool = False
    seconds: float = 0.0
    said: str = ""
    differs: tuple[str, ...] = ()


def attempt(handing: Handing, *, seconds: float) -> Trial:
    """Have the client hand over to a socket of our own, as fail2ban would run it.

    Neither the daemon nor the spool sees it. At most so many seconds.
    """
    if shutil.which(handing.python[0]) is None:
        return Trial(handing=handing, missing=handing.python[0])
    if not handing.client.exists():
        return Trial(handing=handing, missing=str(handing.client))
    with tempfile.TemporaryDirectory(prefix="f2b-") as name, _Ear(Path(name)) as ear:
        started = time.monotonic()
        said = _run(handing, Path(name), seconds)
        took = time.monotonic() - started
    return Trial(
        handing=handing,
        arrived=ear.heard,
        seconds=took,
        said=said,
        differs=_differing(handing.client.parent),
    )


class _Ear:
    """Take one request on a socket and acknowledge it, as the daemon does."""

    def __init__(self, folder: Path) -> None:
        self.heard = False
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        # The path of a Unix socket has 107 bytes at most; a folder may have more.
        at = os.open(folder, os.O_PATH | os.O_DIRECTORY)
        try:
            self._listener.bind(f"/proc/self/fd/{at}/{_EAR}")
        finally:
            os.close(at)
        self._listener.listen()
        self._thread = threading.Thread(target=self._listen, daemon=True)

    def __enter__(self) -> _Ear:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()

    def _listen(self) -> None:
        try:
            connection, _ = self._listener.accept()
        except OSError:
            return  # nobody came
        with connection:
            connection.settimeout(1)
            request = b""
            try:
                while not request.endswith(END) and (some := connection.recv(4096)):
                    request += some
                connection.sendall(b"ok -\n")
            except OSError:
                return
            self.heard = request.endswith(END)


def _run(handing: Handing, folder: Path, seconds: float) -> str:
    """Run the client in this folder; give the last line that it wrote, if it failed."""
    # No EVENT that a daemon knows: should it ever reach one, that is refused.
    command = [
        *(*handing.python, str(handing.client), f"./{_EAR}", "."),
        *("EVENT=check", "JAIL=f2b-enrich-check"),
    ]
    try:
        done = subprocess.run(  # noqa: S603 - what fail2ban would run
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=seconds,
            check=False,
            cwd=folder,
        )
    except subprocess.TimeoutExpired:
        return f"it takes longer than {seconds:g} s"
    except OSError as exc:
        return f"{handing.python[0]}: {exc.strerror}"
    if done.returncode == 0:
        return ""
    lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
    last = lines[-1] if lines else f"exit status {done.returncode}, no message"
    return cut(printable(last), _LONGEST)


def _differing(folder: Path) -> tuple[str, ...]:
    """Name the installed files that are not those of this version."""
    package = resources.files("f2b_enrich")
    return tuple(
        name
        for name in PROGRAMS
        if _content(folder / name) not in {None, package.joinpath(name).read_bytes()}
    )


def _content(file: Path) -> bytes | None:
    try:
        return file.read_bytes()
    except OSError:
        return None  # whether it runs was tried


def links(
    handings: Mapping[str, Handing], *, seconds: float, version: str
) -> Iterator[Link]:
    """Try each client that a jail runs; with no jail, the one of the stock action."""
    jails: dict[Handing, list[str]] = {}
    for jail, handing in sorted(handings.items()):
        key = (handing.python, handing.client)
        known = next((h for h in jails if (h.python, h.client) == key), handing)
        jails.setdefault(known, []).append(jail)
    for handing, names in (jails or {STOCK: []}).items():
        yield _link(attempt(handing, seconds=seconds), names, version)


def _link(trial: Trial, jails: list[str], version: str) -> Link:
    client = printable(str(trial.handing.client))
    python = printable(" ".join(trial.handing.python))
    who = f" (jail {', '.join(map(printable, jails[:3]))})" if jails else ""
    if trial.missing is not None:
        missing = printable(trial.missing)
        option = "client" if trial.missing == str(trial.handing.client) else "python"
        known = STOCK.client if option == "client" else " ".join(STOCK.python)
        cure = f"{_AGAIN}, or set {option} = {known} {_SET}"
        return crit("client", f"{missing} is not there{who}", cure)
    if not trial.arrived:
        by_hand = command(*trial.handing.python, trial.handing.client)
        reason = trial.said or "it ended well, but nothing arrived"
        cure = f"{_AGAIN}; by hand: {by_hand}"
        return crit("client", f"{client} does not run{who}: {reason}", cure)
    took = f"hand-over {trial.seconds * 1000:.0f} ms"
    if trial.differs:
        others = " and ".join(trial.differs)
        text = f"{took}; {others} beside {client}: not of version {version}"
        return warn("client", text, _AGAIN)
    if trial.seconds > SLOW_SECONDS:
        text = f"{took}, over {SLOW_SECONDS * 1000:.0f}: every ban waits for it"
        return warn("client", text, "see what slows this machine down")
    return ok("client", f"version {version}, {took} by {python}")
