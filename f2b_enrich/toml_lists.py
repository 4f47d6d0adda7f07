"""Lists that are shipped as TOML, and that administrators write of their own."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, TypeVar

from pydantic import BaseModel, ValidationError

from f2b_enrich.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.resources.abc import Traversable

Model = TypeVar("Model", bound=BaseModel)


def read_list(file: Traversable, model: type[Model]) -> Model:
    """Read a list, and check it.

    Raises:
        FileNotFoundError: there is none.
        ConfigError: naming the file and every problem.
    """
    try:
        return model.model_validate(tomllib.loads(file.read_text("utf-8")))
    except FileNotFoundError:
        raise
    except OSError as exc:
        raise ConfigError((f"{file}: {exc.strerror}",)) from exc
    except ValidationError as exc:
        raise ConfigError(tuple(problems_of(exc, str(file)))) from exc
    # No text, no TOML, too many brackets, or a path with a NUL.
    except (ValueError, RecursionError) as exc:
        raise ConfigError((f"{file}: {exc}",)) from exc


def problems_of(
    error: ValidationError, file: str, *, leave_out: str | None = None
) -> Iterator[str]:
    """Word each problem of a file in a line, but for those of one type."""
    for problem in error.errors(include_url=False):
        if problem["type"] == leave_out:
            continue
        key = ".".join(str(part) for part in problem["loc"])
        if problem["type"] == "extra_forbidden":
            yield f"{file}: {key}: no such key"
            continue
        text = problem["msg"].removeprefix("Value error, ")
        yield f"{file}: {key}: {text[:1].lower()}{text[1:]}"
