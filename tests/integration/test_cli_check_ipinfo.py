"""What `check` asks IPinfo, and what that costs."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Literal

import pytest
from pydantic import SecretStr

from f2b_enrich.config import IpinfoSettings
from f2b_enrich.health import check_ipinfo
from f2b_enrich.health.links import Level
from tests.fake_ipinfo import FakeIpinfo

if TYPE_CHECKING:
    from collections.abc import Iterator

    from f2b_enrich.health.links import Link

RECORD = {"ip": "8.8.8.8", "country": "US"}
Plan = Literal["auto", "legacy", "lite", "core", "plus", "business"]


class _Answers(BaseHTTPRequestHandler):
    server: _Server

    def log_message(self, *_: object) -> None:
        """Print nothing."""

    def do_GET(self) -> None:
        self.server.asked.append((self.path, self.headers["Authorization"]))
        said = self.server.me if self.path == "/me" else RECORD
        body = said if isinstance(said, bytes) else json.dumps(said).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class _Server(ThreadingHTTPServer):
    me: Any = b""
    asked: list[tuple[str, str]]


@contextmanager
def ipinfo(me: object) -> Iterator[_Server]:
    """Serve what IPinfo documents for /me, and a record for all else."""
    with _Server(("127.0.0.1", 0), _Answers) as server:
        server.me, server.asked = me, []
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def left(limit: int, remaining: int) -> dict[str, object]:
    requests = {"day": 1, "month": 2, "limit": limit, "remaining": remaining}
    return {"token": "tok", "requests": requests, "features": {}}


def look(url: str, plan: Plan = "auto") -> Link:
    settings = IpinfoSettings(base_url=url, plan=plan)
    (link,) = check_ipinfo.links(settings, SecretStr("tok"), seconds=10, offline=False)
    return link


def asked(me: object, plan: Plan = "auto") -> tuple[Link, list[str]]:
    with ipinfo(me) as server:
        link = look(f"http://127.0.0.1:{server.server_address[1]}", plan)
    assert {word for _, word in server.asked} == {"Bearer tok"}
    return link, [path for path, _ in server.asked]


def test_what_is_left_is_told_and_costs_no_look_up() -> None:
    link, paths = asked(left(50_000, 47_000))

    assert paths == ["/me"]
    assert link.level is Level.OK
    assert link.text.endswith(" ms; 47,000 of 50,000 look-ups left")


def test_little_that_is_left_is_told_before_it_is_gone() -> None:
    link, _ = asked(left(50_000, 2_000))

    assert (link.level, "2,000 of 50,000" in link.text) == (Level.WARN, True)
    assert "larger plan" in link.cure


def test_no_limit_is_no_number() -> None:
    link, _ = asked(left(2**31 - 1, 2**31 - 1))

    assert link.text.endswith("; look-ups without a limit")


def test_a_plan_that_was_named_is_tried_itself() -> None:
    link, paths = asked(left(50_000, 47_000), "business")

    assert paths[0] == "/me"
    assert [path.strip("/").split("/")[0] for path in paths[1:]] == ["8.8.8.8"]
    assert "47,000 of 50,000" in link.text


def test_a_plan_without_a_quota_is_not_asked_for_one() -> None:
    with FakeIpinfo() as fake:
        settings = IpinfoSettings(base_url=fake.url, plan="lite")
        token = SecretStr("tok-free")
        (link,) = check_ipinfo.links(settings, token, seconds=10, offline=False)

    assert fake.paths() == ["/lite/8.8.8.8"]
    assert link.level is Level.OK


@pytest.mark.parametrize(
    "odd",
    [
        *(b"", b"[1]", b"<html>", b"{}", {"requests": 7}, {"requests": {"limit": "x"}}),
        *(left(5, 6), left(10**20, 1), left(5, -1)),
    ],
)
def test_an_answer_of_something_else_is_no_fault(odd: object) -> None:
    link, paths = asked(odd, "legacy")

    assert paths[0] == "/me"
    assert len(paths) == 2
    assert (link.level, "look-ups" in link.text) == (Level.OK, False)


def test_a_refusal_of_it_says_nothing_of_the_plan() -> None:
    with FakeIpinfo() as fake:
        settings = IpinfoSettings(base_url=fake.url, plan="core")
        token = SecretStr("tok-core")
        (link,) = check_ipinfo.links(settings, token, seconds=10, offline=False)

    assert fake.paths() == ["/me", "/lookup/8.8.8.8"]
    assert link.level is Level.OK
