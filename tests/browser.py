"""Debian's Chromium, to see a page as its reader does.

with Browser() as browser:
    seen = browser.look(html, width=360, dark=True)
"""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from playwright.sync_api import sync_playwright

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Page

_MEASURE = """
() => {
  const rgb = text => (text.match(/[\\d.]+/g) || []).map(Number);
  const light = ([r, g, b]) => [r, g, b]
    .map(v => v / 255)
    .map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = element => {
    for (let one = element; one; one = one.parentElement) {
      const color = rgb(getComputedStyle(one).backgroundColor);
      if (color.length === 3 || color[3] === 1) return color;
    }
    return [255, 255, 255];
  };
  const contrasts = [], small = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode.textContent.trim();
    const element = walker.currentNode.parentElement;
    if (!text || !element.checkVisibility()) continue;
    const style = getComputedStyle(element);
    const pair = [light(rgb(style.color)), light(behind(element))];
    contrasts.push([(Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05), text]);
    small.push(parseFloat(style.fontSize));
  }
  contrasts.sort((a, b) => a[0] - b[0]);
  return {
    wide: document.documentElement.scrollWidth,
    room: document.documentElement.clientWidth,
    contrast: contrasts[0],
    smallest: Math.min(...small),
    text: document.body.innerText,
    page: getComputedStyle(document.body).backgroundColor,
  };
}
"""


@dataclass(frozen=True)
class Seen:
    """What there was to see; `contrast` is the least of any text (WCAG 2.2, 1.4.3)."""

    text: str
    wide: int
    room: int
    contrast: float
    faintest: str
    smallest: float
    background: str
    requests: tuple[str, ...]


@dataclass(frozen=True)
class Opened:
    """A page, what it asked for, and what its console says."""

    page: Page
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


class Browser:
    """Chromium without a window, while the `with` block lasts."""

    def __enter__(self) -> Self:
        program = shutil.which("chromium")
        assert program is not None, "Debian's chromium is not installed"
        self._playwright = sync_playwright().start()
        self._chromium = self._playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox"]
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._chromium.close()
        self._playwright.stop()

    @contextmanager
    def open(
        self,
        html: str,
        *,
        width: int = 900,
        dark: bool = False,
        scripts: bool = True,
        fine: float = 2,
    ) -> Iterator[Opened]:
        """Open a page for a while; nothing that it asks for is let through."""
        context = self._chromium.new_context(
            viewport={"width": width, "height": 800},
            device_scale_factor=fine,
            is_mobile=width < 600,
            color_scheme="dark" if dark else "light",
            java_script_enabled=scripts,
        )
        try:
            page = context.new_page()
            opened = Opened(page=page)
            page.on("request", lambda request: opened.requests.append(request.url))
            page.on("console", lambda told: opened.complaints.append(told.text))
            page.on("pageerror", lambda error: opened.complaints.append(str(error)))
            page.route("**/*", lambda route: route.abort())
            page.set_content(html)
            yield opened
        finally:
            context.close()

    def look(
        self,
        html: str,
        *,
        width: int = 900,
        dark: bool = False,
        picture: Path | None = None,
    ) -> Seen:
        """Open a page and measure it; nothing that it asks for is let through."""
        with self.open(html, width=width, dark=dark) as opened:
            found = _measured(opened.page)
            if picture is not None:
                opened.page.screenshot(path=picture, full_page=True)
        contrast, faintest = found["contrast"]
        return Seen(
            text=found["text"],
            wide=found["wide"],
            room=found["room"],
            contrast=contrast,
            faintest=faintest,
            smallest=found["smallest"],
            background=found["page"],
            requests=tuple(opened.requests),
        )


def _measured(page: Page) -> dict[str, Any]:
    found = page.evaluate(_MEASURE)
    assert isinstance(found, dict)
    return found
