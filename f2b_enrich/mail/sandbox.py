"""Where templates run: they change nothing, reach nothing and come to an end.

Jinja's own sandbox keeps them from files and from Python's insides. It lets loops run
for ever and text grow without end; that is what stands here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sized
from typing import TYPE_CHECKING, Any, cast

from jinja2 import (
    StrictUndefined,
    Template,
    nodes,
    pass_context,
    pass_eval_context,
    select_autoescape,
)
from jinja2.exceptions import SecurityError
from jinja2.filters import do_replace
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

if TYPE_CHECKING:
    from collections.abc import Callable

    from jinja2 import BaseLoader
    from jinja2.nodes import EvalContext
    from jinja2.runtime import Context

MOST_STEPS = 5_000
"""Rounds of loops, calls, values filtered, templates included; an alert takes 500."""

LONGEST_TEXT = 100_000
"""Characters that one expression may make."""

LARGEST_NUMBER = 10_000
"""Handed to what is called, such as a width, or multiplied with text."""

FILTERS = (
    *("abs", "capitalize", "count", "d", "default", "dictsort", "e", "escape"),
    *("filesizeformat", "first", "float", "forceescape", "groupby", "int", "items"),
    *("join", "last", "length", "list", "lower", "map", "max", "min", "reject"),
    *("rejectattr", "replace", "reverse", "round", "safe", "select", "selectattr"),
    *("sort", "string", "striptags", "sum", "title", "trim", "truncate", "unique"),
    *("upper", "urlencode", "wordcount"),
)
"""Jinja's filters that make little more of a text than it was."""

METHODS = frozenset(
    (
        *("capitalize", "count", "endswith", "find", "get", "index", "isdigit"),
        *("items", "keys", "ljust", "lower", "lstrip", "partition", "removeprefix"),
        *("removesuffix", "rjust", "rpartition", "rstrip", "split", "splitlines"),
        *("startswith", "strip", "title", "upper", "values"),
    )
)
"""Methods of text, numbers and lists that do so."""

_PLAIN = (str, bytes, int, float, list, tuple, dict)
_COUNTED, _BOUNDED = "counted steps", "bounded text"


class Sandbox(ImmutableSandboxedEnvironment):
    """Jinja's sandbox with an end to loops and to text.

    One rendering at a time: each begins with `start`.
    """

    intercepted_binops = frozenset({"+", "*", "**", "%"})

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
        self.globals.pop("lipsum")
        self.filters = {name: self.filters[name] for name in FILTERS}
        self.filters["replace"] = _replace
        self.filters[_COUNTED] = self._each
        self.filters[_BOUNDED] = _bounded

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
        if any(map(_is_large, (*args, *kwargs.values()))):
            raise SecurityError(f"hands over a number above {LARGEST_NUMBER:,}")
        return super().call(*args, **kwargs)

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:  # noqa: ANN401
        """Leave plain values the methods that are harmless."""
        if isinstance(obj, _PLAIN) and callable(value) and attr not in METHODS:
            return False
        return super().is_safe_attribute(obj, attr, value)

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
        """Calculate, with numbers and texts of a size that a mail may need.

        Raises:
            SecurityError: the result could fill the memory.
        """
        if operator == "%" and isinstance(left, str):
            raise SecurityError("text % values is not known here, use ~")
        if operator in {"*", "**"} and any(map(_is_large, (left, right))):
            raise SecurityError(f"calculates with a number above {LARGEST_NUMBER:,}")
        if operator == "**" and not abs(right) <= 8:
            raise SecurityError("a power with an exponent above 8")
        if operator == "*":
            for text, times in ((left, right), (right, left)):
                if isinstance(text, Sized):
                    _check_length(len(text) * times)
        return _bounded(super().call_binop(context, operator, left, right))

    def _generate(
        self,
        source: nodes.Template,
        name: str | None,
        filename: str | None,
        defer_init: bool = False,  # noqa: FBT001, FBT002 - Jinja's signature
    ) -> str:
        _Fences().visit(source)
        return super()._generate(source, name, filename, defer_init)

    @pass_context  # else Jinja would count a loop over constants once, when it compiles
    def _each(self, _: Context, values: object) -> object:
        if isinstance(values, Iterator):
            return self._counted(values)
        many = isinstance(values, Sized) and not isinstance(values, str)
        self.step(len(cast("Sized", values)) if many else 1)
        return values

    def _counted(self, values: Iterator[object]) -> Iterator[object]:
        for value in values:
            self.step()
            yield value


class _Fences(NodeTransformer):
    """Puts a count before every loop and filter, and a bound behind every joining."""

    def visit_For(self, node: nodes.For) -> nodes.For:  # noqa: N802 - Jinja's name
        self.generic_visit(node)
        node.iter = _filtered(node.iter, _COUNTED)
        return node

    def visit_Filter(self, node: nodes.Filter) -> nodes.Expr:  # noqa: N802
        self.generic_visit(node)
        if node.node is None:  # that of a block
            return node
        node.node = _filtered(node.node, _COUNTED)
        return _filtered(node, _BOUNDED)

    def visit_Concat(self, node: nodes.Concat) -> nodes.Expr:  # noqa: N802
        self.generic_visit(node)
        return _filtered(node, _BOUNDED)


def _filtered(node: nodes.Node, name: str) -> nodes.Filter:
    return nodes.Filter(
        cast("nodes.Expr", node), name, [], [], None, None, lineno=node.lineno
    )


@pass_eval_context
def _replace(context: EvalContext, text: str, old: str, new: str) -> str:
    # An escaped character takes up to five.
    _check_length(len(text) + str(text).count(old) * 5 * len(new))
    return do_replace(context, text, old, new)


def _is_large(value: object) -> bool:
    return isinstance(value, int | float) and not abs(value) <= LARGEST_NUMBER


def _bounded(value: object) -> object:
    if isinstance(value, str | list | tuple):
        _check_length(len(value))
    return value


def _check_length(length: int) -> None:
    if length > LONGEST_TEXT:
        raise SecurityError(f"makes a text of over {LONGEST_TEXT:,} characters")
