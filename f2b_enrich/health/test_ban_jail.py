"""The ways to have one address banned for a test, and to undo it."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from f2b_enrich.health import activation
from f2b_enrich.health.configured import configured
from f2b_enrich.health.fail2ban import Fail2BanError, RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from tempfile import _TemporaryFileWrapper

    from f2b_enrich.health.configured import Action
    from f2b_enrich.health.fail2ban import Fail2Ban

JAIL = "f2b-enrich-test"
"""The throw-away jail; its name is in the subject of the mail."""

ADDRESSES = tuple(f"192.0.2.{number}" for number in range(1, 255))
"""Of documentation (RFC 5737): nobody's, so a ban of one locks nobody out."""

_WITHOUT_TAG = frozenset(("actname", "name", "norestored", "options", "timeout"))
_LINES = 3
_BAN_SECONDS = 600
"""Long enough that it does not end while it is followed."""

_SAID = "f2b-enrich test-ban: nobody attacked, this is a test of the alerts, from"


class Way(Protocol):
    """One way to have an address banned."""

    jail: str

    def prepared(self, ip: str) -> AbstractContextManager[Callable[[], None]]:
        """Give what bans the address; leaving undoes all of it."""


class TestBanError(Fail2BanError):
    """A test ban did not get to its end."""


def our_action(fail2ban: Fail2Ban) -> tuple[str, Action]:
    """Give a jail that is configured with our action, and the action as it is there.

    Raises:
        TestBanError: there is none.
    """
    found = next(configured(fail2ban.dump()).ours(), None)
    if found is None:
        raise TestBanError(
            "no jail is configured with our action: f2b-enrich check tells why"
        )
    return found


class OwnJail:
    """A jail made for the test: its own log, and no action but ours."""

    jail = JAIL

    def __init__(
        self,
        fail2ban: Fail2Ban,
        origin: str,
        action: Action,
        *,
        folder: Path,
        now: Callable[[], float],
    ) -> None:
        """Take our action as the jail `origin` has it.

        The log goes to `folder`, and its lines have the Unix time that `now` gives.
        """
        self._now = now
        self._fail2ban = fail2ban
        self._action = _renamed(action, origin)
        self._folder = folder

    @contextmanager
    def prepared(self, ip: str) -> Iterator[Callable[[], None]]:
        """Make log and jail; what is given writes the failures."""
        if JAIL in self._fail2ban.jails():  # of a test that was killed
            self._fail2ban.send("stop", JAIL)
        with self._opened() as log:
            try:
                self._fail2ban.send_all(self._commands(Path(log.name)))
                yield partial(self._fail, log, ip)
            finally:
                self._remove(ip)

    def _opened(self) -> _TemporaryFileWrapper[str]:
        try:
            for old in self._folder.glob(f"{JAIL}-*.log"):
                old.unlink(missing_ok=True)  # of a test that was killed
            log = tempfile.NamedTemporaryFile(  # noqa: SIM115 - the caller closes it
                "a", dir=self._folder, prefix=f"{JAIL}-", suffix=".log"
            )
        except OSError as exc:
            raise TestBanError(f"{self._folder}: {exc.strerror}") from exc
        Path(log.name).chmod(0o644)  # fail2ban need not be root
        return log

    def _fail(self, log: _TemporaryFileWrapper[str], ip: str) -> None:
        for _ in range(_LINES):
            log.write(f"{self._now():.0f} {_SAID} {ip}\n")
        log.flush()

    def _commands(self, log: Path) -> Iterator[tuple[str, ...]]:
        yield "add", JAIL, "polling"
        for key, value in (
            ("maxretry", str(_LINES)),
            ("bantime", str(_BAN_SECONDS)),
            # Without a pattern of its own a log that begins with a number has no date.
            ("datepattern", "{^LN-BEG}EPOCH"),
            ("addfailregex", f"^ {_SAID} <HOST>$"),
        ):
            yield "set", JAIL, key, value
        yield "set", JAIL, "addlogpath", str(log), "head"
        yield from activation.activation(JAIL, self._action)
        # Or the jail starts with what the database has of a test that was killed.
        yield "set", JAIL, "unbanip", *ADDRESSES
        yield "start", JAIL

    def _remove(self, ip: str) -> None:
        # Stopped before anything else, so that no ban comes behind; that tells no
        # unban, for our action takes the end of a jail for none.
        try:
            self._fail2ban.send("stop", JAIL)
        except RefusedError:
            if JAIL in self._fail2ban.jails():
                raise
        # fail2ban's database would ban the address again in the next test. It forgets
        # it for a jail of that name alone, which need not have started.
        self._fail2ban.send_all(
            (
                ("add", JAIL, "polling"),
                ("set", JAIL, "unbanip", ip),
                ("stop", JAIL),
            )
        )


class RealJail:
    """A jail of the server's own: all of its actions run."""

    def __init__(self, fail2ban: Fail2Ban, jail: str) -> None:
        self.jail = jail
        self._fail2ban = fail2ban

    @contextmanager
    def prepared(self, ip: str) -> Iterator[Callable[[], None]]:
        """Give what bans the address by hand."""
        try:
            yield lambda: self._ban(ip)
        finally:
            self._fail2ban.send("set", self.jail, "unbanip", ip)

    def _ban(self, ip: str) -> None:
        self._fail2ban.send("set", self.jail, "banip", ip)


def _renamed(action: Action, origin: str) -> Action:
    """Have the action report the test's jail instead of the one it was read from."""
    name = dict(action.settings).get("name", origin)
    old, new = f'JAIL={name}"', f'JAIL={JAIL}"'
    settings = tuple(
        (key, JAIL if key == "name" else value.replace(old, new))
        for key, value in _needed(action.settings)
    )
    return replace(action, settings=settings)


def _needed(settings: tuple[tuple[str, str], ...]) -> Iterator[tuple[str, str]]:
    """Leave out what says nothing, or has been put in its place already.

    Telling fail2ban one of them takes a tenth of a second.
    """
    used = " ".join(value for _, value in settings)
    for key, value in settings:
        is_command = key.startswith("action") or key in _WITHOUT_TAG
        if value and (is_command or f"<{key}>" in used):
            yield key, value
