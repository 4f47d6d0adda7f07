"""The server of the pages, which leaves at once when it is told to."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import uvicorn

from f2b_enrich.cli.browse_plugin import NAME

if TYPE_CHECKING:
    import socket
    from types import FrameType

    from datasette.app import Datasette


class Server(uvicorn.Server):
    """What answers for the pages until a signal comes."""

    def __init__(self, shown: Datasette) -> None:
        """Take the pages, which have begun."""
        super().__init__(
            uvicorn.Config(
                shown.app(), log_level="warning", access_log=False, server_header=False
            )
        )
        self._shown = shown

    def answer(self, listener: socket.socket) -> None:
        """Answer at a port until a signal ends it.

        Raises:
            KeyboardInterrupt: it was Ctrl-C.
        """
        self.run(sockets=[listener])

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Wait for no question: nobody wants its answer any more.

        Nothing is written here, so nothing is left half done.
        """
        # It would tell of each answer that is broken off.
        logging.getLogger("uvicorn.error").disabled = True
        self._shown.executor.shutdown(wait=False, cancel_futures=True)
        # Python waits for the threads that they run in.
        for each in self._shown.databases[NAME]._all_file_connections:  # noqa: SLF001
            each.interrupt()
        self.force_exit = True
        super().handle_exit(sig, frame)
