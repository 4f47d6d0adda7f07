"""IMAP servers that lie, babble, hang or leave: one line says so, in little memory."""

from __future__ import annotations

import socket
import ssl
import threading
import tracemalloc
from contextlib import closing, contextmanager, suppress
from typing import TYPE_CHECKING

import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st

from f2b_enrich.importing.imap import Seen, imap_mails, opened_folder
from f2b_enrich.importing.imap_place import ImapPlace
from f2b_enrich.importing.records import UnreadableError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MAIL = b"Subject: x\r\n\r\nx\r\n"
HANG_UP = b" and hangs up"
MORE = b"+ \r\n"
SANE = {
    "greeting": b"* OK ready\r\n",
    "CAPABILITY": b"* CAPABILITY IMAP4rev1\r\n@ OK done\r\n",
    "LOGIN": b"@ OK done\r\n",
    "EXAMINE": b"* 2 EXISTS\r\n* OK [UIDVALIDITY 7] fine\r\n@ OK [READ-ONLY]\r\n",
    "SIZES": b"* 1 FETCH (UID 5 RFC822.SIZE 17)\r\n"
    b"* 2 FETCH (RFC822.SIZE 17 UID 9)\r\n@ OK done\r\n",
    "MAILS": b"* 1 FETCH (UID 5 BODY[]<0> {17}\r\n" + MAIL + b")\r\n"
    b"* 2 FETCH (BODY[]<0> {17}\r\n" + MAIL + b" UID 9)\r\n@ OK done\r\n",
}


@contextmanager
def speaking(
    answers: dict[str, bytes], *, tls: ssl.SSLContext | None = None
) -> Iterator[ImapPlace]:
    """Say the same to everybody, `@` being the tag and `$` the line it answers to."""
    said = SANE | answers
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        serving = threading.Thread(target=_serve, args=(listener, said, tls))
        serving.start()
        try:
            yield ImapPlace(
                host="127.0.0.1",
                port=listener.getsockname()[1],
                user="a b",
                folder="INBOX",
                security="plain" if tls is None else "starttls",
            )
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            serving.join(30)


def _serve(
    listener: socket.socket, said: dict[str, bytes], tls: ssl.SSLContext | None
) -> None:
    with suppress(OSError):
        while True:
            peer, _ = listener.accept()
            with suppress(OSError), peer:
                peer.sendall(said["greeting"].removesuffix(HANG_UP))
                if not said["greeting"].endswith(HANG_UP):
                    _converse(peer, said, tls)


def _converse(
    peer: socket.socket, said: dict[str, bytes], tls: ssl.SSLContext | None
) -> None:
    while line := _line(peer):
        tag, _, command = line.decode().strip().partition(" ")
        answer = said.get(_kind(command), HANG_UP)
        if answer == MORE:
            peer.sendall(MORE)
            line, answer = _line(peer), said["SECRET"]
        answered = answer.removesuffix(HANG_UP).replace(b"@", tag.encode())
        peer.sendall(answered.replace(b"$", line.strip()))
        if answer.endswith(HANG_UP):
            return
        if command == "STARTTLS" and tls is not None:
            with tls.wrap_socket(peer, server_side=True) as encrypted:
                _converse(encrypted, said, None)
            return


def _line(peer: socket.socket) -> bytes:
    line = b""
    while not line.endswith(b"\n"):
        piece = peer.recv(1)
        if not piece:
            return b""
        line += piece
    return line


def _kind(command: str) -> str:
    if command.startswith("FETCH"):
        return "MAILS" if "BODY.PEEK" in command else "SIZES"
    return command.partition(" ")[0]


def read(place: ImapPlace) -> list[tuple[bytes, int]]:
    mails = imap_mails(place, password="secret")
    return [(mail.content, seen.uid) for mail, seen in mails]


def problem(answers: dict[str, bytes]) -> str:
    with speaking(answers) as place, pytest.raises(UnreadableError) as caught:
        read(place)
    words = str(caught.value)
    assert words.startswith(f"{place.url}: ")
    assert words.isprintable()
    assert len(words) < 300
    return words.removeprefix(f"{place.url}: ")


def test_a_sane_one_is_read() -> None:
    with speaking({}) as place:
        assert read(place) == [(MAIL, 5), (MAIL, 9)]


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        ({"greeting": b"\r\n"}, "unexpected response"),
        ({"greeting": b"HTTP/1.1 400 Bad Request\r\n"}, "unexpected response"),
        ({"greeting": b"* BYE no room\r\n"}, "* BYE no room"),
        ({"CAPABILITY": HANG_UP}, "closed the connection"),
        ({"CAPABILITY": b"@ OK done\r\n"}, "no CAPABILITY response"),
        ({"CAPABILITY": b"* CAPABILITY \xff\r\n@ OK done\r\n"}, "no ASCII"),
        ({"CAPABILITY": b"* CAPABILITY IMAP2\r\n@ OK done\r\n"}, "not IMAP4 compliant"),
        (
            {"CAPABILITY": b"* CAPABILITY IMAP4rev1 LOGINDISABLED\r\n@ OK done\r\n"},
            "takes no password without TLS",
        ),
        ({"EXAMINE": b"@ NO go \x1b[2Jaway\r\n"}, "go \u241b[2Jaway"),
        ({"EXAMINE": b"@ BAD " + b"x" * 60_000 + b"\r\n"}, "x" * 150),
        ({"LOGIN": b"* OK\r\n" * 30_000}, "answers with more lines than 20000"),
        ({"LOGIN": b"* " + b"x" * 70_000}, "sends a line longer than 65536 bytes"),
        ({"LOGIN": b"* OK {9999999999}\r\n"}, "announces 9999999999 bytes"),
        ({"LOGIN": b"* OK {" + b"9" * 5000 + b"}\r\n"}, "Exceeds the limit"),
        ({"EXAMINE": b"* 2 EXISTS\r\n@ OK done\r\n"}, "does not say which numbers"),
        ({"EXAMINE": b"@ NO no such folder\r\n"}, "no such folder"),
        (
            {
                "EXAMINE": b"* 4294967296 EXISTS\r\n"
                b"* OK [UIDVALIDITY 7]\r\n@ OK done\r\n"
            },
            "says that it has 4294967296 mails",
        ),
        ({"SIZES": b"@ OK done\r\n"}, "shows no mail from 1 of 2 on"),
        (
            {"SIZES": b"* 7 FETCH (UID 7 RFC822.SIZE 1)\r\n@ OK done\r\n"},
            "shows no mail",
        ),
        ({"SIZES": b"@ NO [INUSE] later\r\n"}, "[INUSE] later"),
        (
            {
                "SIZES": b"* 1 FETCH (UID 5 RFC822.SIZE 1)\r\n"
                b"* 2 FETCH (UID 5 RFC822.SIZE 1)\r\n@ OK done\r\n"
            },
            "gives its mails numbers that do not ascend",
        ),
        (
            {"MAILS": b"* 1 FETCH (UID 6 BODY[]<0> {1}\r\nx)\r\n@ OK done\r\n"},
            "gave mail 5 another number meanwhile",
        ),
        (
            {"MAILS": b"* 1 FETCH (UID 5 BODY[]<0> {2000000}\r\n"},
            "announces 2000000 bytes",
        ),
        ({"MAILS": b"* 1 FETCH (UID 5 BODY[]<0> {17}\r\nSub" + HANG_UP}, "closed"),
    ],
)
def test_what_it_says_wrong_is_told(answers: dict[str, bytes], reason: str) -> None:
    assert reason in problem(answers)


def test_of_a_command_that_it_does_not_understand_its_words_are_told() -> None:
    assert problem({"EXAMINE": b"@ BAD What's that?\r\n"}) == "What's that?"
    assert problem({"SIZES": b"@ BAD Error\r\n"}) == "Error"


@pytest.mark.parametrize(
    ("echo", "told"),
    [
        (b"@ BAD Error in IMAP command: $\r\n", "refuses the name or password"),
        (b"@ NO cannot $\r\n", "refuses the name or password"),
        (b"@ NO [AUTHENTICATIONFAILED] $\r\n", "refuses the name or password"),
        (b"@ NO [EXPIRED] $\r\n", "says that the password has expired"),
        (b"@ NO [UNAVAILABLE] $\r\n", "cannot check the password now"),
        (b"? $\r\n", "breaks off the log-in"),
        (b"* $\n", "breaks off the log-in"),
    ],
)
@pytest.mark.parametrize("by_plain", [False, True])
def test_a_password_that_it_repeats_is_not_told(
    echo: bytes, told: str, *, by_plain: bool
) -> None:
    answers = {"LOGIN": echo}
    if by_plain:
        answers = {
            "CAPABILITY": b"* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n@ OK done\r\n",
            "AUTHENTICATE": MORE,
            "SECRET": echo,
        }

    assert problem(answers) == told


def test_a_password_is_not_told_in_a_farewell() -> None:
    farewell = b"* BYE I do not like $\r\n" + HANG_UP

    assert problem({"LOGIN": farewell}) == "breaks off the log-in"


def test_mails_that_it_leaves_out_are_passed_over() -> None:
    only_second = SANE["MAILS"][SANE["MAILS"].index(b"* 2") :]
    unasked = b"* 3 FETCH (UID 11 BODY[]<0> {1}\r\nx)\r\n* 1 FETCH (FLAGS ())\r\n"
    with speaking({"MAILS": unasked + only_second}) as place:
        assert read(place) == [(MAIL, 9)]


def test_a_password_that_it_cannot_take_is_not_sent() -> None:
    with (
        speaking({}) as place,
        pytest.raises(UnreadableError, match="plain ASCII") as caught,
    ):
        list(imap_mails(place, password="p\u00e4ss"))

    assert "p\u00e4ss" not in str(caught.value)


def encrypting(folder: Path) -> tuple[ssl.SSLContext, Path]:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context, folder / "ca.pem"


STARTTLS = {
    "CAPABILITY": b"* CAPABILITY IMAP4rev1 STARTTLS\r\n@ OK done\r\n",
    "STARTTLS": b"@ OK begin\r\n",
}


def test_what_is_said_in_clear_is_not_believed_later(tmp_path: Path) -> None:
    context, ca_file = encrypting(tmp_path)
    with speaking(STARTTLS, tls=context) as place:
        assert len(list(imap_mails(place, password="secret", ca_file=ca_file))) == 2
    more = {"STARTTLS": b"@ OK begin\r\n* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n"}
    with (
        speaking(STARTTLS | more, tls=context) as place,
        pytest.raises(UnreadableError, match="says more in clear than that it turns"),
    ):
        list(imap_mails(place, password="secret", ca_file=ca_file))


def test_one_without_starttls_gets_no_password(tmp_path: Path) -> None:
    context, _ = encrypting(tmp_path)
    with (
        speaking({}, tls=context) as place,
        pytest.raises(UnreadableError, match="TLS not supported by server"),
    ):
        read(place)


def test_a_slow_one_is_left() -> None:
    times = iter([0.0] * 4 + [301.0] * 1000)
    with (
        speaking({}) as place,
        pytest.raises(UnreadableError, match="took longer than 300 s to answer"),
        opened_folder(place, password="secret", clock=lambda: next(times)),
    ):
        pass


def test_a_flood_takes_little_memory() -> None:
    flood = b"* 1 FETCH (UID 5 BODY[]<0> {500000}\r\n" + b"x" * 500_000 + b")\r\n"
    with speaking({"MAILS": flood * 40}) as place:
        tracemalloc.start()
        try:
            with pytest.raises(UnreadableError, match="more than"):
                read(place)
            _, most = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()

    assert most < 40 * 1024 * 1024  # the server's own 20 MB are among them


KINDS = st.sampled_from(sorted(SANE))
PIECES = st.lists(
    st.sampled_from(
        (
            *(b"* ", b"@ ", b"OK", b"NO", b"BYE", b"\r\n", b"1 FETCH (", b"UID 5"),
            *(b"BODY[]<0> ", b"RFC822.SIZE 9", b"{3}\r\n", b"{", b")", b"+ \r\n"),
            b"[UIDVALIDITY 0]",
        )
    )
    | st.binary(max_size=8),
    max_size=12,
).map(b"".join)


@given(answers=st.dictionaries(KINDS, PIECES | st.binary(max_size=60), max_size=2))
def test_any_bytes_end_with_mails_or_one_line(answers: dict[str, bytes]) -> None:
    hung_up = {kind: said + HANG_UP for kind, said in answers.items()}
    with speaking(hung_up) as place, suppress(UnreadableError):
        assert len(read(place)) <= 2


@given(text=st.text(max_size=20) | st.from_regex(r"\d+:\d+", fullmatch=True))
def test_where_it_stands_is_read_or_not(text: str) -> None:
    seen = Seen.read(text)

    assert seen is None or Seen.read(str(seen)) == seen
