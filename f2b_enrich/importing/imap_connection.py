"""A connection to an IMAP server that is believed nothing: so much, in so long."""

from __future__ import annotations

import imaplib
import re
import ssl
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, TypeAlias

from f2b_enrich.importing.imap_place import quoted
from f2b_enrich.importing.records import UnreadableError
from f2b_enrich.inert import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from f2b_enrich.importing.imap_place import ImapPlace

MOST_OCTETS = 1024 * 1024
"""Bytes of the answer to a question that asks for no mail."""

MOST_LINES = 20_000
"""Lines of one answer: each costs far more memory than the bytes that it has."""

MAX_LINE = 64 * 1024
"""Bytes of one line."""

SILENCE_SECONDS = 60.0
"""How long a server may say nothing."""

ANSWER_SECONDS = 300.0
"""How long one answer may take in all."""

_PIECE = 64 * 1024
_MAX_WORDS = 200
_MOST_MAILS = 0xFFFFFFFF
_ATOM = re.compile(r"[A-Za-z0-9.@_+-]+")
_BAD = re.compile(r"[A-Z]+ command error: BAD \[b(['\"])(.*)\1\]", re.DOTALL)
"""How imaplib quotes the words of a server that does not understand a command."""

_CODE = re.compile(r"\[([A-Z]+)\]")
_REFUSALS = {
    "EXPIRED": "says that the password has expired",
    "PRIVACYREQUIRED": "takes no password without TLS",
    "UNAVAILABLE": "cannot check the password now",
}
"""What those codes of RFC 5530 say that are of no wrong name or password."""

Answer: TypeAlias = tuple[str, list[Any]]


class _Bounded(imaplib.IMAP4):
    """What is read by `read` and `readline`, as imaplib lets a subclass do.

    Its own would ask for as much memory as the server announces. What is wrong is an
    OSError, which imaplib hands on: it puts its `abort` among words of the server's.
    """

    _clock: Callable[[], float]

    def watch(self, clock: Callable[[], float]) -> None:
        """Begin to count, before there is a connection."""
        self._clock = clock
        self._buffer = bytearray()
        self._source: Any = None
        self.allow(MOST_OCTETS)

    def allow(self, octets: int) -> None:
        """Let the next answer have as many bytes, and forget what came unasked."""
        self._octets = octets
        self._lines = MOST_LINES
        self._until = self._clock() + ANSWER_SECONDS
        if hasattr(self, "untagged_responses"):
            self.untagged_responses.clear()

    def read(self, size: int) -> bytes:
        self._look_at_socket()
        if size > self._octets + len(self._buffer):
            raise ConnectionError(f"announces {size} bytes, more than were asked for")
        while len(self._buffer) < size:
            self._more()
        return self._taken(size)

    def readline(self) -> bytes:
        self._look_at_socket()
        self._lines -= 1
        if self._lines < 0:
            raise ConnectionError(f"answers with more lines than {MOST_LINES}")
        seen = 0
        while (end := self._buffer.find(b"\n", seen)) < 0:
            seen = len(self._buffer)
            if seen > MAX_LINE:
                raise ConnectionError(f"sends a line longer than {MAX_LINE} bytes")
            self._more()
        return self._taken(end + 1)

    def _look_at_socket(self) -> None:
        """Believe nothing that was said in clear once the connection is encrypted."""
        if self._source is not self.sock:
            if self._buffer:
                raise ConnectionError("says more in clear than that it turns to TLS")
            self._source = self.sock

    def _taken(self, size: int) -> bytes:
        piece = bytes(self._buffer[:size])
        del self._buffer[:size]
        return piece

    def _more(self) -> None:
        left = self._until - self._clock()
        if left <= 0:
            raise TimeoutError(f"took longer than {ANSWER_SECONDS:.0f} s to answer")
        self.sock.settimeout(min(left, SILENCE_SECONDS))
        piece = self.sock.recv(_PIECE)
        if not piece:
            raise ConnectionError("closed the connection")
        self._octets -= len(piece)
        if self._octets < 0:
            raise ConnectionError("answers with more than was asked for")
        self._buffer += piece


class _Plain(_Bounded):
    def __init__(self, place: ImapPlace, clock: Callable[[], float]) -> None:
        self.watch(clock)
        super().__init__(place.host, place.port, timeout=SILENCE_SECONDS)


class _Encrypted(_Bounded, imaplib.IMAP4_SSL):
    def __init__(
        self, place: ImapPlace, clock: Callable[[], float], context: ssl.SSLContext
    ) -> None:
        self.watch(clock)
        imaplib.IMAP4_SSL.__init__(
            self, place.host, place.port, ssl_context=context, timeout=SILENCE_SECONDS
        )


class Connection:
    """Questions to a server, each with what its answer may be; `name` is its URL."""

    def __init__(self, imap: _Bounded, *, name: str) -> None:
        self.name = name
        self._imap = imap

    def examine(self, folder_name: str) -> tuple[int, int]:
        """Open a folder without changing it; give its UIDVALIDITY and its mails.

        Raises:
            UnreadableError: the server has no such folder, or does not number it.
        """
        with _told_as_ours(self.name):
            self._imap.allow(MOST_OCTETS)
            done, said = self._imap.select(folder_name, readonly=True)
            if done != "OK":
                raise imaplib.IMAP4.error(said[-1] if said else b"refuses")
            validity = self._imap.response("UIDVALIDITY")[1][-1]
            if not isinstance(validity, bytes):
                raise imaplib.IMAP4.error("does not say which numbers its mails have")
            count = int(said[-1] or b"0")
            if count > _MOST_MAILS:
                raise imaplib.IMAP4.error(f"says that it has {count} mails")
            return int(validity), count

    def fetch(self, numbers: str, what: str, *, octets: int) -> list[Any]:
        """Ask for parts of mails by their place in the folder, what was read at once.

        Those that were deleted meanwhile are missing. By place, not by UID: while it
        is asked so a server tells of no deletion, and the places stay.

        Raises:
            UnreadableError: the server refuses, or is not to be believed.
        """
        with _told_as_ours(self.name):
            self._imap.allow(octets)
            done, said = self._imap.fetch(numbers, what)
            if done != "OK":
                words = said[-1] if said else None
                if not (isinstance(words, bytes) and b"[EXPUNGEISSUED]" in words):
                    raise imaplib.IMAP4.error(words or b"refuses")
                said = self._imap.response("FETCH")[1]
            return [each for each in said if each is not None]


@contextmanager
def connected(
    place: ImapPlace,
    *,
    password: str,
    ca_file: Path | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[Connection]:
    """Log in, and leave in the end; `ca_file` is trusted instead of the system's.

    Raises:
        UnreadableError: the server is not reached, not trusted, or refuses.
    """
    name = printable(place.url)
    with _told_as_ours(name):
        imap = _opened(place, ca_file, clock)
    try:
        with _told_as_ours(name):
            _log_in(imap, place.user, password)
        yield Connection(imap, name=name)
    finally:
        _leave(imap)


@contextmanager
def _told_as_ours(name: str) -> Iterator[None]:
    try:
        yield
    # imaplib raises ValueError where an answer holds no ASCII or no number.
    except (imaplib.IMAP4.error, OSError, ValueError) as exc:
        raise UnreadableError(f"{name}: {_words_of(exc)}") from exc


def _opened(
    place: ImapPlace, ca_file: Path | None, clock: Callable[[], float]
) -> _Bounded:
    if place.security == "plain":
        return _Plain(place, clock)
    context = ssl.create_default_context(cafile=ca_file)
    if place.security == "tls":
        return _Encrypted(place, clock, context)
    imap = _Plain(place, clock)
    try:
        imap.allow(MOST_OCTETS)
        imap.starttls(context)
    except BaseException:
        _leave(imap)
        raise
    return imap


def _log_in(imap: _Bounded, user: str, password: str) -> None:
    imap.allow(MOST_OCTETS)
    takes_any = "AUTH=PLAIN" in imap.capabilities
    if not takes_any and "LOGINDISABLED" in imap.capabilities:
        raise imaplib.IMAP4.error(_REFUSALS["PRIVACYREQUIRED"])
    is_plain = f"{user}{password}".isascii() and password.isprintable()
    if not takes_any and not is_plain:
        raise imaplib.IMAP4.error("takes only names and passwords of plain ASCII")
    try:
        if takes_any:
            secret = f"\0{user}\0{password}".encode()
            imap.authenticate("PLAIN", lambda _: secret)
        else:
            imap.login(user if _ATOM.fullmatch(user) else quoted(user), password)
    # Nothing of what it says is shown: some repeat the command, and so the password.
    except imaplib.IMAP4.abort:
        raise imaplib.IMAP4.error("breaks off the log-in") from None
    except imaplib.IMAP4.error as exc:
        raise imaplib.IMAP4.error(_refusal(exc)) from None


def _refusal(error: imaplib.IMAP4.error) -> str:
    """Tell in words of ours why a log-in was refused."""
    code = _CODE.match(_text(error.args[0])) if error.args else None
    usual = "refuses the name or password"
    return usual if code is None else _REFUSALS.get(code[1], usual)


def _leave(imap: _Bounded) -> None:
    """Close the connection without a word: a server that hangs would be waited for."""
    with suppress(OSError):
        imap.shutdown()


def _words_of(error: Exception) -> str:
    """Say what went wrong on one line of bounded length, whatever the server sent."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {error.verify_message}"
    if isinstance(error, UnicodeError):
        return "answers with bytes that are no ASCII"
    said = error.args[0] if error.args else ""
    if isinstance(error, OSError):
        said = error.strerror or str(error)
    text = _text(said)
    if (bad := _BAD.fullmatch(text)) is not None:
        text = bad[2]
    text = printable(text.removeprefix("socket error: ")).strip()
    return text[:_MAX_WORDS] or "does not answer as an IMAP server does"


def _text(said: object) -> str:
    return said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
