"""The bad days of the stand-in for IPinfo: late, cut off, too much, or nonsense."""

from __future__ import annotations

import gzip
import json
import socket
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.ipinfo_records import (
    BAD_IP,
    BERLIN,
    DAILY_CAP,
    HTML,
    JSON,
    TOKEN_QUOTA,
    UNKNOWN_TOKEN,
    WRONG_IP,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.fake_ipinfo import Answer


@dataclass(frozen=True, slots=True)
class Fault:
    """A bad day, so many times or always; for all, one address, or one route.

    Routes are `lite`, `lookup` and, for what has neither word in it, `legacy`.
    """

    kind: str
    ip: str | None = None
    route: str | None = None
    times: int | None = None
    seconds: float = 0.05


def _delay(answer: Answer, fault: Fault) -> None:
    answer.server.fake.closing.wait(fault.seconds)
    answer.say(answer.body())


def _drip(answer: Answer, fault: Fault) -> None:
    body = answer.body()
    _head(answer, len(body))
    for byte in body:
        answer.wfile.write(bytes([byte]))
        if answer.server.fake.closing.wait(fault.seconds):
            break


def _head(answer: Answer, length: int, status: int = 200) -> None:
    answer.send_response(status)
    answer.send_header("Content-Type", JSON)
    answer.send_header("Content-Length", str(length))
    answer.end_headers()


def _half(answer: Answer) -> None:
    body = answer.body()
    _head(answer, len(body))
    answer.wfile.write(body[: len(body) // 2])
    answer.close_connection = True


def _short(answer: Answer, _: Fault) -> None:
    _half(answer)


def _reset(answer: Answer, _: Fault) -> None:
    _half(answer)
    linger = struct.pack("ii", 1, 0)
    answer.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    # By descriptor: the server's own farewell would turn the reset into an end.
    socket.close(answer.connection.detach())
    raise ConnectionAbortedError


def _close(answer: Answer, _: Fault) -> None:
    answer.close_connection = True


def _hold(answer: Answer, _: Fault) -> None:
    answer.server.fake.closing.wait()
    answer.close_connection = True


def _chunked(answer: Answer, _: Fault) -> None:
    answer.send_response(200)
    answer.send_header("Content-Type", JSON)
    answer.send_header("Transfer-Encoding", "chunked")
    answer.end_headers()
    body = answer.body()
    for start in range(0, len(body), 7):
        part = body[start : start + 7]
        answer.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
    answer.wfile.write(b"0\r\n\r\n")


def _padded(answer: Answer) -> bytes:
    padding = "x" * (10 * 1024 * 1024)
    return answer.body()[:-1] + f', "padding": "{padding}"}}'.encode()


def _huge(answer: Answer, _: Fault) -> None:
    answer.say(_padded(answer))


def _huge_when_unpacked(answer: Answer, _: Fault) -> None:
    packed = gzip.compress(_padded(answer))
    answer.say(packed, headers={"Content-Encoding": "gzip"})


def _gzip(answer: Answer, _: Fault) -> None:
    packed = gzip.compress(answer.body())
    answer.say(packed, headers={"Content-Encoding": "gzip"})


def _circle(answer: Answer, _: Fault) -> None:
    answer.say(b"", HTML, 302, {"Location": answer.path})


def _away(answer: Answer, _: Fault) -> None:
    answer.say(b"", HTML, 302, {"Location": answer.server.fake.elsewhere + answer.path})


def _cut_refusal(answer: Answer, _: Fault) -> None:
    _head(answer, 100, status=403)
    answer.wfile.write(b'{"status"')
    answer.close_connection = True


def _fixed(
    body: object, status: int = 200, kind: str = JSON, **headers: str
) -> Callable[[Answer, Fault], None]:
    text = body if isinstance(body, str) else json.dumps(body)
    sent = text.encode("latin-1")

    def answer_with(answer: Answer, _: Fault) -> None:
        answer.say(sent, kind, status, headers)

    return answer_with


_PAGE = "<!DOCTYPE html><title>{}</title>"

FAULTS: Mapping[str, Callable[[Answer, Fault], None]] = {
    "delay": _delay,
    "drip": _drip,
    "short": _short,
    "reset": _reset,
    "close": _close,
    "hold": _hold,
    "chunked": _chunked,
    "gzip": _gzip,
    "huge": _huge,
    "huge-gzip": _huge_when_unpacked,
    "circle": _circle,
    "429-daily": _fixed(DAILY_CAP, 429),
    "429-token": _fixed(TOKEN_QUOTA, 429),
    "401": _fixed(UNKNOWN_TOKEN, 401),
    "403": _fixed(UNKNOWN_TOKEN, 403),
    "403-html": _fixed(_PAGE.format("403 Forbidden"), 403, HTML),
    "404": _fixed(WRONG_IP, 404),
    "400-bare-json": _fixed("{truncated", 400, "application/json"),
    "500": _fixed("Internal server error", 500, "text/plain"),
    "502": _fixed(_PAGE.format("502 Bad Gateway"), 502, HTML),
    "503": _fixed(_PAGE.format("503"), 503, HTML),
    "truncated-json": _fixed('{"ip": "192.0.2.1", "city": "Ber'),
    "html-200": _fixed(_PAGE.format("Log in to this hotel"), 200, HTML),
    "html-as-json": _fixed(_PAGE.format("Log in to this hotel")),
    "list": _fixed([BERLIN]),
    "null": _fixed(None),
    "empty": _fixed(""),
    "no-object": _fixed("5"),
    "nested": _fixed("[" * 100_000),
    "not-a-number": _fixed('{"ip": "192.0.2.1", "country": "DE", "x": NaN}'),
    "wrong-ip": _fixed({**BERLIN, "ip": "198.51.100.99"}),
    "no-ip": _fixed({"country": "DE"}),
    "bogon": _fixed({"ip": "192.0.2.1", "bogon": True}),
    "302-away": _away,
    "400": _fixed(BAD_IP, 400),
    "403-cut": _cut_refusal,
    "403-html-as-json": _fixed(_PAGE.format("403"), 403, "application/json"),
    "403-huge": _fixed("x" * 300_000, 403, HTML),
    "403-latin1": _fixed(_PAGE.format("Kein Zugriff f\u00fcr G\u00e4ste"), 403, HTML),
    "503-later": _fixed(_PAGE.format("503"), 503, HTML, **{"Retry-After": "120"}),
    "504": _fixed(_PAGE.format("504 Gateway Timeout"), 504, HTML),
}
