"""A `browse` that runs, and readers of its pages."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from http.cookiejar import CookieJar
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PROGRAM = (
    "import sys; from f2b_enrich.cli.main import main; "
    "sys.argv[0] = 'f2b-enrich'; sys.exit(main())"
)


@dataclass(frozen=True)
class Served:
    """A running `browse`, and the link that it printed."""

    link: str
    process: subprocess.Popen[str]

    @property
    def root(self) -> str:
        return self.link.partition("/-/")[0]


@dataclass(frozen=True)
class Answer:
    code: int
    text: str
    headers: dict[str, str]


class Reader:
    """A browser without a window: follows, and keeps its cookies."""

    def __init__(self, root: str) -> None:
        self._root = root
        cookies = urllib.request.HTTPCookieProcessor(CookieJar())
        no_proxy = urllib.request.ProxyHandler({})
        self._opener = urllib.request.build_opener(no_proxy, cookies)

    def get(self, path: str, data: bytes | None = None) -> Answer:
        request = urllib.request.Request(f"{self._root}{path}", data=data)  # noqa: S310
        try:
            with self._opener.open(request, timeout=8) as answer:
                text = answer.read().decode()
                return Answer(answer.status, text, dict(answer.headers))
        except urllib.error.HTTPError as exc:
            with exc:
                return Answer(exc.code, exc.read().decode(), dict(exc.headers))

    def ask(self, query: str) -> dict[str, Any]:
        quoted = urllib.parse.quote(query)
        found: dict[str, Any] = json.loads(self.get(f"/bans.json?sql={quoted}").text)
        return found


@contextlib.contextmanager
def serving(store: Path, *words: str) -> Iterator[Served]:
    command = [sys.executable, "-c", PROGRAM, "browse", "--db", str(store), *words]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            link = process.stdout.readline().strip()
            assert link.startswith("http://127.0.0.1:"), process.communicate()
            yield Served(link, process)
        finally:
            process.kill()
