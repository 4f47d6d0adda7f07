"""`action`: our action in the jails of a fail2ban that runs, without lifting a ban."""

from __future__ import annotations

import dataclasses
import functools
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

import click

from f2b_enrich.cli import action_text
from f2b_enrich.cli.options import with_settings
from f2b_enrich.cli.tables import screen_width
from f2b_enrich.health import activating, activation, jail_text, quiet, trial
from f2b_enrich.health.activation import Standing
from f2b_enrich.health.configured import configured
from f2b_enrich.health.fail2ban import (
    PROGRAM,
    DownError,
    Fail2Ban,
    Fail2BanError,
    RefusedError,
)
from f2b_enrich.inert import printable
from f2b_enrich.mail.wording import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from f2b_enrich.config import Settings
    from f2b_enrich.health.activation import JailPlan
    from f2b_enrich.health.running import Running

P = ParamSpec("P")
R = TypeVar("R")

_FAILED = 1
_STOCK = Path("/etc/fail2ban")
_OUR_FILES = (trial.ACTION_FILE, trial.JAIL_FILE, trial.MODULE_FILE)
_RUNS = (Standing.ACTIVE, Standing.OUTDATED)
_NO_SERVER = "fail2ban does not run"

_socket_option = click.option(
    "--socket",
    "socket_path",
    type=click.Path(path_type=Path),
    help="fail2ban's socket, instead of the one that its configuration names.",
)
_json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object."
)


class ActionError(Fail2BanError):
    """Our files cannot be taken away without breaking what is left."""


def _with_fail2ban(
    command: Callable[Concatenate[Path, Fail2Ban, P], R],
) -> Callable[..., R]:
    """Pass fail2ban's folder and fail2ban itself as the first arguments."""

    def run(
        settings: Settings,
        /,
        *args: Any,  # noqa: ANN401
        socket_path: Path | None,
        **kwargs: Any,  # noqa: ANN401
    ) -> R:
        etc = settings.own.fail2ban or _STOCK
        socket = () if socket_path is None else ("-s", str(socket_path))
        fail2ban = Fail2Ban((*PROGRAM, "-c", str(etc), *socket))
        return command(etc, fail2ban, *args, **kwargs)

    functools.update_wrapper(run, command)
    return _socket_option(_json_option(with_settings(run)))


@click.group()
def action() -> None:
    """Turn our action on and off in a running fail2ban; every ban stays."""


@action.command(
    "plan",
    epilog="\b\nExamples:\n"
    "  f2b-enrich action plan\n"
    "  f2b-enrich action plan --files /root/f2b-enrich-1.0",
)
@click.option(
    "--files",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A folder with our action.d and jail.d: plan as if they were in place.",
)
@_with_fail2ban
def plan(etc: Path, fail2ban: Fail2Ban, *, files: Path | None, as_json: bool) -> int:
    """Show what `action add` would do, jail by jail, and change nothing.

    Exit code 1 says that our jail.d file changes what else a jail does at a ban.
    """
    running = activating.running_jails(fail2ban)
    plans = _plans(etc, fail2ban, running, files)
    if as_json:
        _echo_json(plans, etc, running=running is not None)
    else:
        for line in action_text.table(plans, etc, width=screen_width()):
            click.echo(line)
        if running is None:
            _tell([f"{_NO_SERVER}: it takes our action when it starts"])
    return _FAILED if _loses(plans) else 0


@action.command("add", epilog="\b\nExample:\n  f2b-enrich action add")
@_with_fail2ban
def add(etc: Path, fail2ban: Fail2Ban, *, as_json: bool) -> int:
    """Add our action to every running jail that is configured with it.

    No ban is lifted, and a later reload or restart keeps it. A jail whose other actions
    our jail.d file would change is left alone, and the line to append is shown.
    """
    running = activating.running_jails(fail2ban)
    plans = _plans(etc, fail2ban, running, None)
    done, failures = _add_to_all(fail2ban, plans)
    if as_json:
        _echo_json(done, etc, running=running is not None, failures=failures)
    else:
        for line in (*_outcome(plans, done), *action_text.advice(done, etc)):
            click.echo(printable(line))
        if running is None:
            _tell([f"{_NO_SERVER}: it takes our action when it starts"])
        _tell(failures.values())
    return _FAILED if failures or _loses(done) else 0


@action.command("remove", epilog="\b\nExample:\n  f2b-enrich action remove")
@_with_fail2ban
def remove(etc: Path, fail2ban: Fail2Ban, *, as_json: bool) -> int:
    """Take our action out of every running jail, before its files are removed.

    No ban is lifted. Nothing is done while a jail still needs our files: without them
    fail2ban would not start again.
    """
    _refuse_to_break(etc, fail2ban)
    try:
        removed = activating.remove(fail2ban, wait=_waiting(fail2ban))
    except DownError:
        removed, is_running = (), False
    else:
        is_running = True
    jails = [jail for jail, _ in removed]
    if as_json:
        click.echo(json.dumps({"running": is_running, "removed": jails}))
        return 0
    if not is_running:
        _tell([f"{_NO_SERVER}: only the files are left to remove"])
    told = (
        f"removed from {', '.join(jails)}" if jails else "no jail runs with our action"
    )
    click.echo(printable(told))
    return 0


def _plans(
    etc: Path,
    fail2ban: Fail2Ban,
    running: dict[str, tuple[Running, ...]] | None,
    files: Path | None,
) -> tuple[JailPlan, ...]:
    laid: dict[str, str | Path | None] = {}
    if files is not None:
        laid = {name: files / name for name in _OUR_FILES}
    without = {**laid, trial.JAIL_FILE: trial.ONLY_THE_NAME}
    now = configured(trial.dump(fail2ban, etc, laid) if laid else fail2ban.dump())
    plain = configured(trial.dump(fail2ban, etc, without))
    _tell(now.mistakes)
    return activation.plan(now, without=plain, running=running)


def _add_to_all(
    fail2ban: Fail2Ban, plans: Iterable[JailPlan]
) -> tuple[list[JailPlan], dict[str, str]]:
    """Give the plans as they stand afterwards, and why jails are still without."""
    done, failures = [], {}
    wait = _waiting(fail2ban)
    for one in plans:
        after = one
        if one.standing is Standing.ADD:
            try:
                for action in one.missing:
                    activating.add(fail2ban, one.jail, action, wait=wait)
                after = dataclasses.replace(one, standing=Standing.ACTIVE)
            except activating.JailGoneError:
                after = dataclasses.replace(one, standing=Standing.LATER)
            except RefusedError as exc:
                failures[one.jail] = str(exc)
        done.append(after)
    return done, failures


def _waiting(fail2ban: Fail2Ban) -> Callable[[str], None]:
    pid = fail2ban.server_pid()

    def wait(jail: str) -> None:
        begun = time.monotonic()
        if pid is not None and not quiet.wait_until_quiet(
            pid,
            jail,
            elapsed=lambda: time.monotonic() - begun,
            pause=lambda: time.sleep(quiet.PAUSE_SECONDS),
        ):
            _tell(
                [
                    f"{jail}: bans without a pause for {quiet.LIMIT_SECONDS:g} s; one "
                    "of them may have missed an action"
                ]
            )

    return wait


def _outcome(plans: Iterable[JailPlan], done: Iterable[JailPlan]) -> list[str]:
    added = [
        after.jail
        for before, after in zip(plans, done, strict=True)
        if before.standing is Standing.ADD and after.standing is Standing.ACTIVE
    ]
    active = sum(after.standing in _RUNS for after in done)
    first = f"added to {', '.join(added)}" if added else "nothing was to be added"
    return [f"{first}; active in {counted(active, 'jail')}"]


def _loses(plans: Iterable[JailPlan]) -> bool:
    return any(one.standing is Standing.LOSES for one in plans)


def _refuse_to_break(etc: Path, fail2ban: Fail2Ban) -> None:
    mistakes = trial.mistakes_without(fail2ban, etc, _OUR_FILES)
    if not mistakes:
        return
    places = ", ".join(map(str, jail_text.naming_us(etc)))
    raise ActionError(
        f"nothing was done: {places or 'a file that is read'} needs our files, and "
        f"fail2ban would not start without ({mistakes[0]}); take our action out there "
        "first"
    )


def _echo_json(
    plans: Iterable[JailPlan],
    etc: Path,
    *,
    running: bool,
    failures: dict[str, str] | None = None,
) -> None:
    jails = [action_text.record(one, etc) for one in plans]
    told = {"running": running, "jails": jails, "failures": failures or {}}
    click.echo(json.dumps(told))


def _tell(lines: Iterable[str]) -> None:
    for line in lines:
        click.echo(f"f2b-enrich: {printable(line)}", err=True)
