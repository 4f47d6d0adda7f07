"""What comes back from IPinfo, bounded, before its client looks at it."""

from __future__ import annotations

import copy
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import aiohttp

from f2b_enrich.enrich.cooldown import LONGEST_WISH, Rest, SourceFault

if TYPE_CHECKING:
    from collections.abc import Mapping

LARGEST_BODY = 256 * 1024
"""A record has 300 bytes; the longest of a company's plan has a few thousand."""

_LONGEST_NUMBER = 10


class ErrorAnswer(Exception):  # noqa: N818 - it is what the server said
    """An answer with a status of 400 or more, told by its head alone."""

    def __init__(self, status: int, headers: Mapping[str, str]) -> None:
        super().__init__(f"HTTP {status}")
        self.status = status
        self.is_json = _is_json(headers.get("Content-Type", ""))
        self.retry_after = _retry_after(headers.get("Retry-After", ""))


def _is_json(content_type: str) -> bool:
    return content_type.partition(";")[0].strip().lower() == "application/json"


def _retry_after(text: str) -> timedelta:
    """Read seconds, an hour at most; a date counts as nothing said."""
    seconds = text.strip()
    if not (seconds.isascii() and seconds.isdecimal()):
        return timedelta()
    if len(seconds) > _LONGEST_NUMBER:
        return LONGEST_WISH
    return min(timedelta(seconds=int(seconds)), LONGEST_WISH)


class _Received(dict[str, Any]):
    """An answer that remembers how it came.

    The client writes into it, and for some plans over it: Lite's and Core's name of
    the continent is gone afterwards.
    """

    def __init__(self, answer: Mapping[str, Any]) -> None:
        super().__init__(answer)
        self.received: Mapping[str, Any] = copy.deepcopy(dict(answer))


class BoundedResponse(aiohttp.ClientResponse):
    """A response that reads no more than a record can need."""

    async def json(self, **options: Any) -> Any:  # noqa: ANN401 - as aiohttp has it
        """Read JSON as aiohttp does, and keep the object as it came.

        Raises:
            SourceFault: it is no object of JSON.
        """
        try:
            answer = await super().json(**options)
            if isinstance(answer, dict):
                return _Received(answer)
            found = type(answer).__name__
        except (ValueError, RecursionError, aiohttp.ContentTypeError) as exc:
            found = type(exc).__name__
        raise SourceFault(
            f"IPinfo's answer is no record of an address ({found})", rest=Rest.SHORT
        )

    async def read(self) -> bytes:
        """Read the body as aiohttp does, up to the limit.

        Raises:
            ErrorAnswer: the status says enough. The body of such an answer can be
                anything, and the client would fail to read it before it says so.
            SourceFault: it is larger than any record.
        """
        if self.status >= 400:
            raise ErrorAnswer(self.status, self.headers)
        if self._body is None:
            body = bytearray()
            async for piece in self.content.iter_any():
                body += piece
                if len(body) > LARGEST_BODY:
                    self.close()
                    raise SourceFault(
                        f"IPinfo's answer is over {LARGEST_BODY} bytes",
                        rest=Rest.SHORT,
                    )
            self._body = bytes(body)
        return self._body
