"""Charts drawn where no script runs: SVG for the page, PNG for a mail."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import vl_convert

from f2b_enrich.report import charts, charts_map

if TYPE_CHECKING:
    from collections.abc import Callable

    from f2b_enrich.report.charts import Chart

_WHITE = "#ffffff"
_SVG = "{http://www.w3.org/2000/svg}"
_CLIP = re.compile(r"clip\d+")
_FRACTION = re.compile(r"-?\d+\.\d{2,}(?:e-\d+)?")
_POSITIONS = ("d", "transform", "x", "y", "x1", "x2", "y1", "y2")
_EMPTY = {"", "M0,0h0v0h0Z"}
_UNUSED = {"role", "version", "pointer-events", "stroke-miterlimit"}
_VALUES = "datasets"
"""Where the texts of attackers are: nothing of them is taken for a colour."""


class Drawing:
    """Draws charts, and reads the outlines of the world once for all of them."""

    def __init__(self) -> None:
        self._outlines = charts_map.outlines()

    def svg(self, chart: Chart, *, width: int | None = None) -> str:
        """Draw a chart in the names of colours, whose values the page has."""
        spec = chart.spec if width is None else {**chart.spec, "width": width}
        drawn: str = vl_convert.vegalite_to_svg(
            _replaced(spec, self._whole),
            config=charts.config(),
            allowed_base_urls=[],
        )
        root = ET.fromstring(drawn)  # noqa: S314 - drawn here, no document of others
        _tidy(root, chart.name)
        return ET.tostring(root, encoding="unicode")

    def png(self, chart: Chart, *, scale: float) -> bytes:
        """Draw a chart in light colours on white."""
        config = _replaced(charts.config(), self._whole)
        drawn: bytes = vl_convert.vegalite_to_png(
            _replaced(chart.spec, lambda one: _coloured(self._whole(one))),
            config=_replaced({**config, "background": _WHITE}, _coloured),
            scale=scale,
            allowed_base_urls=[],
        )
        return drawn

    def _whole(self, one: object) -> object:
        """Put the outlines in their place, as nothing is to be fetched."""
        if isinstance(one, dict) and one.get("url") == charts_map.OUTLINES:
            return {"values": self._outlines, "format": one["format"]}
        return one


def _tidy(root: ET.Element, name: str) -> None:
    """Take out what a page with many pictures does not need, or has but once."""
    for group in root.iter():
        for empty in [one for one in group if one.get("d") in _EMPTY]:
            group.remove(empty)
        is_outline = "mark-shape" in group.get("class", "").split()
        for element in group:
            _shorten(element, places=1 if is_outline else 2)
    for element in root.iter():
        # HTML knows the elements of SVG without it.
        element.tag = element.tag.removeprefix(_SVG)
        for attribute, value in list(element.attrib.items()):
            if attribute in _UNUSED or attribute.startswith("aria-"):
                del element.attrib[attribute]
            elif attribute == "id" or value.startswith("url(#"):
                element.set(attribute, _CLIP.sub(rf"{name}-\g<0>", value))
    root.set("aria-hidden", "true")
    root.set("focusable", "false")


def _shorten(element: ET.Element, *, places: int) -> None:
    """Write positions no finer than anybody sees: they are most of a picture."""
    for attribute in _POSITIONS:
        if value := element.get(attribute):
            element.set(
                attribute,
                _FRACTION.sub(lambda found: f"{float(found[0]):.{places}f}", value),
            )


def _coloured(one: object) -> object:
    return charts.LIGHT.get(one, one) if isinstance(one, str) else one


def _replaced(one: Any, by: Callable[[object], object]) -> Any:  # noqa: ANN401
    """Give a specification with some of its parts replaced, the values apart."""
    if isinstance(one, dict):
        return by(
            {
                key: part if key == _VALUES else _replaced(part, by)
                for key, part in one.items()
            }
        )
    if isinstance(one, list):
        return [_replaced(part, by) for part in one]
    return by(one)
