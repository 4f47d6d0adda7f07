"""The Unix socket that clients connect to: systemd's, or one of our own."""

from __future__ import annotations

import contextlib
import os
import socket
import stat
from typing import TYPE_CHECKING

from f2b_enrich.errors import F2bEnrichError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_FIRST_FD = 3
BACKLOG = 1024


class SocketError(F2bEnrichError):
    """The socket cannot be listened to."""


@contextlib.contextmanager
def listening(path: Path, environ: Mapping[str, str]) -> Iterator[socket.socket]:
    """Give the socket that systemd hands over (sd_listen_fds(3)), else make `path`.

    A socket of our own is for root and the owner's group, and goes away at the end.

    Raises:
        SocketError: another daemon listens there, or the path cannot be used.
    """
    handed = _handed_over(environ)
    if handed is not None:
        with handed:
            yield handed
        return
    with contextlib.closing(_bind(path)) as own:
        made = path.stat()
        try:
            yield own
        finally:
            with contextlib.suppress(OSError):
                if path.stat().st_ino == made.st_ino:
                    path.unlink()


def _handed_over(environ: Mapping[str, str]) -> socket.socket | None:
    count = environ.get("LISTEN_FDS", "")
    if environ.get("LISTEN_PID") != str(os.getpid()) or not count.isdecimal():
        return None
    if count != "1":
        raise SocketError(f"systemd handed over {count} sockets, expected 1")
    try:
        return socket.socket(fileno=_FIRST_FD)
    except OSError as exc:
        raise SocketError(f"the socket systemd handed over: {exc.strerror}") from exc


def _bind(path: Path) -> socket.socket:
    own = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        path.parent.mkdir(mode=0o770, parents=True, exist_ok=True)
        _clear(path)
        before = os.umask(0o117)
        try:
            own.bind(os.fspath(path))
        finally:
            os.umask(before)
        own.listen(BACKLOG)
    except OSError as exc:
        own.close()
        raise SocketError(f"socket {path}: {exc.strerror or exc}") from exc
    except SocketError:
        own.close()
        raise
    return own


def _clear(path: Path) -> None:
    """Remove the socket of a daemon that is gone."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise SocketError(f"socket {path}: a file that is no socket is in the way")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(os.fspath(path))
        except (ConnectionRefusedError, FileNotFoundError):
            path.unlink(missing_ok=True)
            return
        except OSError as exc:
            raise SocketError(f"socket {path}: {exc.strerror or exc}") from exc
    raise SocketError(f"socket {path}: another daemon listens there")
