"""What systemd is told (sd_notify(3)); without systemd it is told nothing."""

from __future__ import annotations

import socket
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Notifier:
    """Speak to the supervisor named in the environment."""

    address: str | None
    watchdog_seconds: float | None

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Notifier:
        """Read NOTIFY_SOCKET and WATCHDOG_USEC as systemd sets them."""
        address = environ.get("NOTIFY_SOCKET") or None
        if address is not None and address.startswith("@"):
            address = "\0" + address[1:]
        span = environ.get("WATCHDOG_USEC", "")
        seconds = int(span) / 1_000_000 if span.isdecimal() and int(span) else None
        return cls(address, seconds)

    def ready(self) -> None:
        """Say that bans are taken from now on."""
        self._send("READY=1")

    def reloading(self) -> None:
        """Say that the configuration is being read; `ready` follows."""
        moment = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        self._send(f"RELOADING=1\nMONOTONIC_USEC={moment}")

    def stopping(self) -> None:
        """Say that no more bans are taken."""
        self._send("STOPPING=1")

    def alive(self) -> None:
        """Feed the watchdog."""
        self._send("WATCHDOG=1")

    def _send(self, text: str) -> None:
        if self.address is None:
            return
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
            try:
                channel.sendto(text.encode(), self.address)
            except OSError:
                return  # a supervisor that went away is no reason to stop
