"""IPinfo Lite as IPinfo itself hands it out, to whoever has a token."""

from __future__ import annotations

import json
import re
from contextlib import closing
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

import requests
from requests.auth import AuthBase

from f2b_enrich.enrich.fields import header_text
from f2b_enrich.enrich.placing import PIECE, copy
from f2b_enrich.errors import GeoError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pydantic import SecretStr

FILE = "ipinfo_lite.mmdb"

_CONNECT_AND_READ = (10.0, 60.0)
_LONGEST = 1800.0
_REDIRECTS = 5
_SHA256 = re.compile(r"[0-9a-fA-F]{64}")
_LARGEST_ANSWER = 64 * 1024


class _Bearer(AuthBase):
    """The token as a header, which a .netrc would override were it set as one."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


class Download:
    """IPinfo's download of one file."""

    def __init__(
        self, base_url: str, token: SecretStr, *, elapsed: Callable[[], float]
    ) -> None:
        """Prepare.

        Args:
            base_url: where IPinfo answers.
            token: goes to `base_url` only, never to where it redirects.
            elapsed: seconds since the download began.

        Raises:
            ConfigError: the token cannot be sent.
        """
        self.url = f"{base_url.rstrip('/')}/data/{FILE}"
        self._auth = _Bearer(header_text(token))
        self._elapsed = elapsed

    def checksum(self) -> str:
        """Ask for the SHA-256 of the file as it is today.

        Raises:
            GeoError: there was no such answer.
        """
        with self._opened(f"{self.url}/checksums") as response:
            body = b"".join(self._pieces(response, _LARGEST_ANSWER))
        try:
            answer = json.loads(body)
            text = str(answer["checksums"]["sha256"])
        except (ValueError, TypeError, KeyError, RecursionError):
            text = ""
        if not _SHA256.fullmatch(text):
            raise GeoError(f"{self.url}/checksums: the answer holds no checksum")
        return text.lower()

    def fetch(self, path: Path, *, sha256: str) -> None:
        """Write the file to `path`.

        Raises:
            GeoError: it did not come, or is not the one of that checksum.
        """
        with self._opened(self.url) as response:
            found = copy(self._pieces(response), path)
        if found != sha256:
            raise GeoError(
                f"{self.url}: checksum {found[:12]}… of what came, IPinfo names "
                f"{sha256[:12]}…"
            )

    def _opened(self, url: str) -> closing[requests.Response]:
        auth: AuthBase | None = self._auth
        asked = url
        for _ in range(_REDIRECTS):
            response = self._get(asked, auth)
            if not response.is_redirect:
                _insist_on_success(url, response)
                return closing(response)
            response.close()
            asked, auth = next_hop(asked, response.headers["Location"]), None
        raise GeoError(f"{url}: redirects more than {_REDIRECTS} times")

    def _get(self, url: str, auth: AuthBase | None) -> requests.Response:
        try:
            return requests.get(
                url,
                auth=auth,
                # Compressed bytes would not add up to Content-Length.
                headers={"Accept-Encoding": "identity"},
                allow_redirects=False,
                stream=True,
                timeout=_CONNECT_AND_READ,
            )
        except requests.RequestException as exc:
            raise GeoError(_unreachable(self.url, exc)) from None

    def _pieces(
        self, response: requests.Response, limit: int | None = None
    ) -> Iterator[bytes]:
        size = 0
        try:
            for piece in response.iter_content(PIECE):
                size += len(piece)
                if limit is not None and size > limit:
                    raise GeoError(f"{self.url}: the answer is over {limit} bytes")
                if self._elapsed() > _LONGEST:
                    raise GeoError(f"{self.url}: took over {_LONGEST:g} s")
                yield piece
        except requests.RequestException as exc:
            raise GeoError(_unreachable(self.url, exc)) from None


def next_hop(asked: str, location: str) -> str:
    """Follow a redirect, but not out of encryption.

    Raises:
        GeoError: it leads from https to something else.
    """
    target = urljoin(asked, location)
    if urlsplit(asked).scheme == "https" != urlsplit(target).scheme:
        raise GeoError(f"{asked}: redirects to where nothing is encrypted")
    return target


def _insist_on_success(url: str, response: requests.Response) -> None:
    status = response.status_code
    if status == 200:
        return
    response.close()
    if status in {401, 403}:
        raise GeoError(f"{url}: IPinfo refuses the token (HTTP {status})")
    if status == 429:
        raise GeoError(
            f"{url}: IPinfo allows no more today (HTTP 429), "
            "a database can be fetched three times a day"
        )
    raise GeoError(f"{url}: HTTP {status}")


def _unreachable(url: str, exc: requests.RequestException) -> str:
    # Only the kind: the text repeats addresses, and a redirect's can be signed.
    return f"{url}: {_WORDS.get(type(exc), 'the connection failed')}"


_WORDS: dict[type[Any], str] = {
    requests.ConnectTimeout: "no connection within 10 s",
    requests.ReadTimeout: "nothing came for 60 s",
    requests.exceptions.SSLError: "the certificate is not trusted",
    requests.exceptions.ChunkedEncodingError: "the connection broke off",
}
