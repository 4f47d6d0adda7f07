"""The templates of a mail: the shipped ones, or an administrator's own."""

from __future__ import annotations

import stat
import textwrap
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

import structlog
from jinja2 import (
    ChoiceLoader,
    FileSystemLoader,
    PackageLoader,
    TemplateError,
    TemplateNotFound,
    TemplateSyntaxError,
)
from jinja2.loaders import split_template_path

from f2b_enrich import inert
from f2b_enrich.mail.sandbox import Sandbox
from f2b_enrich.mail.view import harmless

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from jinja2 import BaseLoader, Environment

    from f2b_enrich.mail.digest_view import DigestView
    from f2b_enrich.mail.flood_view import FloodView
    from f2b_enrich.mail.letter import LetterView
    from f2b_enrich.mail.view import View

    Shown: TypeAlias = View | DigestView | FloodView | LetterView

log = structlog.get_logger(__name__)

Kind: TypeAlias = Literal["alert", "digest", "flood"]
"""The mails that there are; each has a template for its text and one for its HTML."""

KINDS: tuple[Kind, ...] = ("alert", "digest", "flood")
TEXT = "alert.txt.jinja"
HTML = "alert.html.jinja"
COLUMNS = 80
_INDENT = 8
_MAX_PROBLEM = 300


class Templates:
    """Renders views; a template of `folder` that fails is replaced by the shipped."""

    def __init__(self, folder: Path | None) -> None:
        shipped = PackageLoader("f2b_enrich.mail")
        self._shipped = _sandbox(shipped)
        self._own = self._shipped
        if folder is not None:
            self._own = _sandbox(ChoiceLoader([_OwnLoader(folder), shipped]))

    def render(self, name: str, shown: Shown) -> str:
        """Fill in a template, the administrator's own if it can be."""
        try:
            return _render(self._own, name, shown)
        except Exception as exc:
            if self._own is self._shipped:
                raise
            # What people write into templates can raise anything. An alert is lost
            # by none of it.
            log.warning("own template not used", template=name, reason=_reason(exc))
        return _render(self._shipped, name, shown)


class _OwnLoader(FileSystemLoader):
    """Reads an administrator's templates; one that cannot be read is no missing one."""

    def get_source(
        self, environment: Environment, template: str
    ) -> tuple[str, str, Callable[[], bool]]:
        path = Path(*self.searchpath, *split_template_path(template))
        try:
            mode = path.stat().st_mode
        except FileNotFoundError:
            raise TemplateNotFound(template) from None
        except OSError as exc:
            raise TemplateError(f"cannot be read: {exc.strerror}") from exc
        if not stat.S_ISREG(mode):
            raise TemplateError("is not a file")
        return super().get_source(environment, template)


def problems_of(
    folder: Path, samples: Mapping[Kind, tuple[Shown, ...]]
) -> Iterator[str]:
    """Render the templates of a folder and say, a line each, what fails."""
    sandbox = _sandbox(
        ChoiceLoader([_OwnLoader(folder), PackageLoader("f2b_enrich.mail")])
    )
    for kind in KINDS:
        for name in _templates(kind):
            yield from _problems(sandbox, folder / name, samples[kind])
    yield from _unused(folder)


def _templates(kind: Kind) -> tuple[str, str]:
    return f"{kind}.txt.jinja", f"{kind}.html.jinja"


def _problems(
    sandbox: Sandbox, path: Path, samples: tuple[Shown, ...]
) -> Iterator[str]:
    found: dict[str, None] = {}
    for sample in samples:
        try:
            _render(sandbox, path.name, sample)
        except Exception as exc:  # noqa: BLE001 - a template can raise anything
            found[f"{inert.printable(str(path))}: {_reason(exc)}"] = None
    yield from found


def _unused(folder: Path) -> Iterator[str]:
    where = inert.printable(str(folder))
    try:
        names = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    except OSError as exc:
        yield f"{where}: {exc.strerror}"
        return
    known = [name for kind in KINDS for name in _templates(kind)]
    if names and not names.intersection(known):
        yield f"{where}: holds none of {', '.join(known)}, so nothing of it is used"


def _sandbox(loader: BaseLoader) -> Sandbox:
    # Whoever writes a template: what it prints is harmless.
    sandbox = Sandbox(loader, finalize=harmless)
    sandbox.filters["wrap"] = _wrap
    return sandbox


def _render(sandbox: Sandbox, name: str, shown: Shown) -> str:
    sandbox.start()
    values = {field.name: getattr(shown, field.name) for field in fields(shown)}
    text = sandbox.get_template(name).render(values)
    # A block with a filter takes values past `harmless`.
    return "\n".join(map(inert.printable, text.split("\n")))


def _reason(error: Exception) -> str:
    line = f"line {error.lineno}: " if isinstance(error, TemplateSyntaxError) else ""
    kind = "" if isinstance(error, TemplateError) else f"{type(error).__name__}: "
    if isinstance(error, TemplateNotFound):
        kind = "there is no template "
    words = " ".join(inert.printable(str(error)).split())
    return inert.cut(f"{line}{kind}{words}", _MAX_PROBLEM)


def _wrap(text: str, label: str = "") -> str:
    """Fill lines right of a label, or at the margin; break first where `text` does."""
    indent = _INDENT if label else 0
    width = COLUMNS - indent
    lines: list[str] = []
    for piece in (" ".join(line.split()) for line in text.splitlines()):
        if lines and len(lines[-1]) + 1 + len(piece) <= width:
            lines[-1] += f" {piece}"
        else:
            lines += textwrap.wrap(
                piece, width, break_long_words=False, break_on_hyphens=False
            )
    margin = " " * indent
    filled = f"\n{margin}".join(line.rstrip() for line in lines)
    return f"{label.ljust(indent)}{filled}\n"
