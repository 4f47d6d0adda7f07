"""The jails and actions that fail2ban's configuration means, as it would start them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from f2b_enrich.health.fail2ban import Command, Word

OURS = "f2b-enrich"
"""What our action is called, whatever comes behind it."""

_CLIENT_WORD = "EVENT=ban"
"""What our client is told at a ban, whatever the action is called."""

_PATHS = ("client", "socket", "spool")
"""The options that our action has, whatever it is called."""

_MODULE = f"{OURS}.py"


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One action of one jail; `module` is the file of one that runs in the server.

    `settings` are its properties in order, or a module's options as JSON.
    """

    name: str
    module: str | None = None
    settings: tuple[tuple[str, str], ...] = ()

    @property
    def is_ours(self) -> bool:
        """Tell our action, also under a name that the administrator gave it."""
        if is_our_name(self.name):
            return True
        if self.module is not None:
            return PurePath(self.module).name == _MODULE
        values = dict(self.settings)
        return runs_our_client(self.at_a_ban, values.get)

    @property
    def at_a_ban(self) -> str:
        """Give what it runs at a ban; nothing for a module."""
        return dict(self.settings).get("actionban", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Jail:
    """One jail as it would be started."""

    name: str
    backend: str
    actions: tuple[Action, ...] = ()
    logs: tuple[str, ...] = ()

    @property
    def our_actions(self) -> tuple[Action, ...]:
        """Give all actions of ours: two that tell two recipients, say."""
        return tuple(action for action in self.actions if action.is_ours)

    @property
    def our_action(self) -> Action | None:
        """Give our action, the first one if there are two."""
        return next(iter(self.our_actions), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Configured:
    """All jails that would be started, and why others would not."""

    jails: tuple[Jail, ...]
    mistakes: tuple[str, ...] = ()

    def ours(self) -> Iterator[tuple[str, Action]]:
        """Name each jail that has our action, with the first one there."""
        for jail in self.jails:
            if (action := jail.our_action) is not None:
                yield jail.name, action


def is_our_name(name: str) -> bool:
    """Tell by an action's name alone: one half added has nothing else yet."""
    return name == OURS or name.startswith(f"{OURS}-")


def runs_our_client(command: str, value_of: Callable[[str], str | None]) -> bool:
    """Tell our action by what it runs at a ban and by its options.

    `value_of` gives an option's value, None for one that it has not. An
    administrator's own program may be told EVENT=ban as well.
    """
    if _CLIENT_WORD not in command:
        return False
    values = [value_of(key) for key in _PATHS]
    client = values[0]
    return None not in values and bool(client) and f"{client}" in command


def configured(commands: Iterable[Command]) -> Configured:
    """Read the jails from what `Fail2Ban.dump` gave."""
    reading = _Reading()
    for command in commands:
        reading.take(command)
    return Configured(
        jails=tuple(jail.done() for jail in reading.jails.values()),
        mistakes=tuple(reading.mistakes),
    )


class _JailReading:
    def __init__(self, name: str, backend: str) -> None:
        self.name = name
        self.backend = backend
        self.logs: list[str] = []
        self.modules: dict[str, str | None] = {}
        self.settings: dict[str, list[tuple[str, str]]] = {}

    def add_action(self, words: Sequence[Word]) -> None:
        match words:
            case [str(name)]:
                self.modules[name], self.settings[name] = None, []
            case [str(name), str(module), str(options)]:
                self.modules[name] = module
                self.settings[name] = [("options", options)]
            case _:
                pass

    def set_action(self, name: str, pairs: Iterable[Word]) -> None:
        for pair in pairs:
            match pair:
                case (str(key), str(value)):
                    self.settings.setdefault(name, []).append((key, value))
                case _:
                    pass

    def done(self) -> Jail:
        actions = tuple(
            Action(name=name, module=module, settings=tuple(self.settings[name]))
            for name, module in self.modules.items()
        )
        return Jail(
            name=self.name,
            backend=self.backend,
            actions=actions,
            logs=tuple(self.logs),
        )


class _Reading:
    def __init__(self) -> None:
        self.jails: dict[str, _JailReading] = {}
        self.mistakes: list[str] = []

    def take(self, command: Command) -> None:
        match command:
            case ("add", str(jail), str(backend), *_):
                self.jails[jail] = _JailReading(jail, backend)
            case ("config-error", str(mistake)):
                self.mistakes.append(mistake)
            case ("set" | "multi-set", str(jail), *words) if jail in self.jails:
                self._take_of(self.jails[jail], words)

    @staticmethod
    def _take_of(jail: _JailReading, words: Sequence[Word]) -> None:
        match words:
            case ["addlogpath", str(path), *_]:
                jail.logs.append(path)
            case ["addaction", *action]:
                jail.add_action(action)
            case ["action", str(name), tuple(pairs)]:
                jail.set_action(name, pairs)
            case ["action", str(name), str(key), value]:
                jail.set_action(name, [(key, value)])
            case _:
                pass
