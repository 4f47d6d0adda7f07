"""What the page of a report is made of: sections with charts, tables and words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from f2b_enrich.report.charts import Chart
    from f2b_enrich.tables import Column


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows of text; the cell at `head` names its row.

    A `wide` table scrolls in its own box, as does a long one; on a phone many do.
    """

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    head: int = 0
    is_wide: bool = False

    @property
    def is_long(self) -> bool:
        """Tell whether it would be longer than most screens."""
        return len(self.rows) > _LONG

    @property
    def may_scroll(self) -> bool:
        """Tell whether there are screens, those of phones, on which it scrolls."""
        return self.is_wide or self.is_long or len(self.columns) > _FIT


_LONG = 25
_FIT = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Detail:
    """A small picture that opens larger, with a table of its own."""

    title: str
    about: str
    chart: Chart
    table: Table | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A heading and what is below it; `name` is what a link leads to.

    `about` says what the numbers are of; `notes` follow the table. The chart is beside
    the table unless it `is_broad`.
    """

    name: str
    title: str
    about: str = ""
    texts: tuple[str, ...] = ()
    items: tuple[str, ...] = ()
    chart: Chart | None = None
    is_broad: bool = False
    table: Table | None = None
    notes: tuple[str, ...] = ()
    details: tuple[Detail, ...] = ()
    parts: tuple[Section, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Tell whether there is nothing but the heading."""
        things = (self.texts, self.items, self.notes, self.details, self.parts)
        return not (any(things) or self.chart or self.table)

    @property
    def is_narrow(self) -> bool:
        """Tell whether another one has room beside it."""
        is_wide = self.table is not None and self.table.is_wide
        return not (self.chart or self.details or self.parts or is_wide)

    def charts(self) -> Iterator[Chart]:
        """Give all charts, those of the parts as well."""
        if self.chart is not None:
            yield self.chart
        for detail in self.details:
            yield detail.chart
        for part in self.parts:
            yield from part.charts()


def table(
    caption: str,
    columns: tuple[Column, ...],
    rows: list[list[str]],
    *,
    head: int = 0,
    is_wide: bool = False,
) -> Table | None:
    """Make a table, if there is anything to be in it."""
    if not rows:
        return None
    return Table(
        caption=caption,
        columns=columns,
        rows=tuple(map(tuple, rows)),
        head=head,
        is_wide=is_wide,
    )
