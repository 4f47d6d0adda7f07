"""Whether the watched mailbox can be read, and is."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import TYPE_CHECKING

from f2b_enrich.health import check_units
from f2b_enrich.health.check_process import READ, SEARCH
from f2b_enrich.health.links import ok, unknown, warn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from f2b_enrich.health.check_process import Account
    from f2b_enrich.health.links import Link

TIMER, SERVICE = "f2b-enrich-mailbox.timer", "f2b-enrich-mailbox.service"

HOMES = (Path("/home"), Path("/root"), Path("/run/user"))
"""What `ProtectHome=` hides."""

_ACL = "system.posix_acl_access"
_HOW = "docs/how-to/mailbox.md tells how"


def links(
    maildir: Path | None,
    *,
    account: Account | None,
    shown: Callable[..., dict[str, dict[str, str]]] = check_units.shown,
    homes: tuple[Path, ...] = HOMES,
) -> Iterator[Link]:
    """Look at the Maildir as the unit's user would, and at the unit itself.

    `account` is that user, None where it is not known.
    """
    if maildir is None:
        return
    units = shown("ActiveState,Result,ProtectHome,User", TIMER, SERVICE)
    timer, service = units.get(TIMER, {}), units.get(SERVICE, {})
    if link := _unreadable(maildir, account) or _hidden(maildir, service, homes):
        yield link
    elif timer and timer.get("ActiveState") != "active":
        cure = f"systemctl enable --now {TIMER}"
        yield warn("mailbox", f"{maildir} is set, and no timer has it read", cure)
    elif service.get("Result", "success") != "success":
        text = f"the last reading of {maildir} failed ({service['Result']})"
        yield warn("mailbox", text, f"journalctl -u {SERVICE} tells why")
    elif timer:
        yield ok("mailbox", f"{maildir} is read every five minutes")
    else:
        text = f"{maildir} can be read; without systemd cron has it read"
        yield ok("mailbox", text)


def _unreadable(maildir: Path, account: Account | None) -> Link | None:
    """Say what keeps the user out, as far as owners and modes tell."""
    try:
        for folder in (*reversed(maildir.parents), maildir):
            if not _may(folder, SEARCH, account):
                return _keeps_out(folder, account)
        for folder in (maildir / "new", maildir / "cur"):
            if not folder.is_dir():
                text = f"{maildir} is no Maildir: it has no folder {folder.name}"
                return warn("mailbox", text, "mend mailbox.maildir")
            if not _may(folder, READ | SEARCH, account):
                return _keeps_out(folder, account)
    except OSError as exc:
        if exc.errno in {errno.EACCES, errno.EPERM} and os.geteuid():
            return unknown("mailbox", f"{maildir}: {exc.strerror}", "run this as root")
        text = f"{exc.filename or maildir}: {exc.strerror}"
        return warn("mailbox", text, "mend mailbox.maildir")
    return None


def _may(folder: Path, wanted: int, account: Account | None) -> bool:
    about = folder.stat()
    if account is None or account.may(about, wanted):
        return True
    # An access list may give what the mode does not show.
    return _ACL in os.listxattr(folder)


def _keeps_out(folder: Path, account: Account | None) -> Link:
    who = "the unit's user" if account is None else account.name
    return warn("mailbox", f"{folder} cannot be read by {who}", _HOW)


def _hidden(
    maildir: Path, service: dict[str, str], homes: tuple[Path, ...]
) -> Link | None:
    is_home = any(maildir.is_relative_to(home) for home in homes)
    if not is_home or service.get("ProtectHome", "no") not in {"yes", "tmpfs"}:
        return None
    return warn("mailbox", f"{maildir} is hidden from {SERVICE} (ProtectHome=)", _HOW)
