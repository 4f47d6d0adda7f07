"""Packed files unpacked piece by piece, in the forms that Python does not bound."""

from __future__ import annotations

import shutil
import subprocess
from contextlib import contextmanager
from lzma import FORMAT_XZ, LZMADecompressor
from typing import TYPE_CHECKING, cast

from f2b_enrich.importing.records import UnreadableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from io import BufferedReader, FileIO

MOST_MEMORY_MIB = 128
"""What unpacking may take: `xz -9` asks for 65, `zstd --ultra` for more than that."""

_PIECE = 32 * 1024


class XzReader:
    """Reads xz, one stream after the other, as `xz -dc` does.

    Python's LZMAFile takes as much memory as the file asks for, up to 4 GiB.
    """

    def __init__(self, packed: Callable[[int], bytes]) -> None:
        """Take what gives the bytes of the file."""
        self._packed = packed
        self._stream = _xz_stream()
        self._is_begun = False
        self._left = b""

    def read(self, size: int) -> bytes:
        """Give at most `size` bytes, empty at the end.

        Raises:
            EOFError: the file ends within a stream.
            LZMAError: it is damaged, or asks for too much memory.
        """
        while True:
            if self._stream.eof:
                self._left = self._stream.unused_data
                self._stream, self._is_begun = _xz_stream(), False
            if not self._left and self._stream.needs_input:
                self._left = self._packed(_PIECE)
                if not self._left and self._is_begun:
                    raise EOFError
                if not self._left:
                    return b""
            if not self._is_begun:
                self._left = self._left.lstrip(b"\0")  # streams may be padded
                self._is_begun = bool(self._left)
            unpacked = self._stream.decompress(self._left, size)
            self._left = b""
            if unpacked:
                return unpacked


def _xz_stream() -> LZMADecompressor:
    return LZMADecompressor(FORMAT_XZ, memlimit=MOST_MEMORY_MIB * 1024 * 1024)


@contextmanager
def unzstd(file: FileIO, *, name: str) -> Iterator[Callable[[int], bytes]]:
    """Unpack a file from its beginning with the program zstd.

    Python reads zstd from 3.14 on. Before that the program is asked: logs are packed by
    logrotate, which runs it too, so it is there where such logs are; a library would be
    one more to pin and to trust for them.

    Raises:
        UnreadableError: there is no such program; in reading, the file is damaged.
    """
    program = shutil.which("zstd")
    if program is None:
        raise UnreadableError(f"{name} is packed by zstd, which is not installed here")
    if not file.seekable():  # its first bytes are taken already
        raise UnreadableError(f"{name} is packed by zstd: send it through zstdcat")
    file.seek(0)
    with subprocess.Popen(  # noqa: S603 - our own words, and an open file
        (program, "-dcq", f"-M{MOST_MEMORY_MIB}MB"),
        stdin=file,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            yield lambda size: _piece_of(process, size, name)
        finally:
            process.kill()


def _piece_of(process: subprocess.Popen[bytes], size: int, name: str) -> bytes:
    piece = cast("BufferedReader", process.stdout).read1(size)
    if not piece and (code := process.wait()):
        raise UnreadableError(f"{name} cannot be unpacked: zstd ended with code {code}")
    return piece
