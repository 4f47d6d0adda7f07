"""Where templates run: they change nothing, reach nothing and come to an end."""

from __future__ import annotations

from collections.abc import Sized
from typing import TYPE_CHECKING, Any

from jinja2 import StrictUndefined, Template, nodes, pass_context, select_autoescape
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from jinja2 import BaseLoader
    from jinja2.runtime import Context

MOST_STEPS = 20_000
"""Rounds of loops, calls and templates included; an alert of 40 lines takes 300."""

LONGEST_PRODUCT = 10_000
"""What `*` may multiply text to, in characters, and a power's exponent's limit."""

_COUNTED = "counted_steps"


class Sandbox(ImmutableSandboxedEnvironment):
    """Jinja's sandbox, which lets loops run for ever, with an end to them.

    One rendering at a time: each begins with `start`.
    """

    intercepted_binops = frozenset({"*", "**"})

    def __init__(
        self, loader: BaseLoader, *, finalize: Callable[[object], object]
    ) -> None:
        """Take where templates come from, and what all their values go through."""
        super().__init__(
            loader=loader,
            finalize=finalize,
            undefined=StrictUndefined,
            # What an own template includes is HTML too, whatever its file is called.
            autoescape=select_autoescape(
                enabled_extensions=(),
                disabled_extensions=("txt", "txt.jinja"),
                default=True,
            ),
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._steps = 0
        self.filters[_COUNTED] = self._each

    def start(self) -> None:
        """Begin to count anew."""
        self._steps = 0

    def step(self, times: int = 1) -> None:
        """Count what can be done over and over.

        Raises:
            SecurityError: it was done too often.
        """
        self._steps += times
        if self._steps > MOST_STEPS:
            raise SecurityError(f"goes round more than {MOST_STEPS:,} times")

    def call(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as Jinja has it
        """Count a call; macros can call each other for ever."""
        self.step()
        return super().call(*args, **kwargs)

    def get_template(self, *args: Any, **kwargs: Any) -> Template:  # noqa: ANN401
        """Count a template that is included, perhaps by itself."""
        self.step()
        return super().get_template(*args, **kwargs)

    def call_binop(
        self,
        context: Any,  # noqa: ANN401 - as Jinja has it
        operator: str,
        left: Any,  # noqa: ANN401
        right: Any,  # noqa: ANN401
    ) -> Any:  # noqa: ANN401
        """Multiply, but not text to fill the memory.

        Raises:
            SecurityError: the product would be too long.
        """
        if operator == "**" and not abs(right) <= 64:
            raise SecurityError("a power with an exponent over 64")
        for text, times in ((left, right), (right, left)):
            if hasattr(text, "__len__") and len(text) * times > LONGEST_PRODUCT:
                raise SecurityError(f"repeats to over {LONGEST_PRODUCT:,} characters")
        return super().call_binop(context, operator, left, right)

    def _generate(
        self,
        source: nodes.Template,
        name: str | None,
        filename: str | None,
        defer_init: bool = False,  # noqa: FBT001, FBT002 - Jinja's signature
    ) -> str:
        for loop in source.find_all(nodes.For):
            loop.iter = nodes.Filter(
                loop.iter, _COUNTED, [], [], None, None, lineno=loop.lineno
            )
        return super()._generate(source, name, filename, defer_init)

    @pass_context  # else Jinja would count a loop over constants once, when it compiles
    def _each(self, _: Context, values: Iterable[object]) -> Iterable[object]:
        if isinstance(values, Sized):
            self.step(len(values))
            return values
        return self._counted(values)

    def _counted(self, values: Iterable[object]) -> Iterator[object]:
        for value in values:
            self.step()
            yield value
