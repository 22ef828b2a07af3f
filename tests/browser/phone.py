"""A phone: what it is to Chromium, and what may not be on its screen."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Page

PHONE = {"has_touch": True, "is_mobile": True, "viewport": {"width": 320, "height": 640}}
_SCREEN = {"width": 320, "height": 640, "screenWidth": 320, "screenHeight": 640, "deviceScaleFactor": 1, "mobile": True}
# Links within running text are as high as their line (WCAG 2.5.8 exempts them); what is not shown can't be pressed;
# the target of a radio button is its label.
SMALL = """() => [...document.querySelectorAll("a[href], button, input:not([type=hidden]), select, summary, textarea")]
    .filter(each => each.checkVisibility({visibilityProperty: true, opacityProperty: true}) && !each.closest(".skip"))
    .filter(each => !(each.matches("a") && getComputedStyle(each).display === "inline"))
    .filter(each => !each.matches("[type=radio], [type=checkbox]") || !each.labels.length)
    .map(each => [each, each.getBoundingClientRect()])
    .filter(([each, box]) => box.width && (box.height < 23.5 || box.width < 23.5))
    .map(([each, box]) => `${each.outerHTML.slice(0, 120)} ${Math.round(box.width)}x${Math.round(box.height)}`)"""
# A phone shows a page that is too wide smaller: its window grows with it, its screen doesn't.
TOO_WIDE = "document.documentElement.scrollWidth - screen.width"
OUTSIDE = """() => [...document.querySelectorAll(
        ".tabs a, .segments a, .dock summary *, .dock-line *, .head .actions > *")]
    .filter(each => each.checkVisibility({visibilityProperty: true}))
    .map(each => [each, each.getBoundingClientRect()])
    .filter(([each, box]) => box.width && (box.right > innerWidth + 1 || box.left < -1))
    .map(([each]) => each.outerHTML.slice(0, 120))"""


@contextmanager
def as_phone(page: Page) -> Iterator[None]:
    """Show a page that is there as a phone would; afterwards it has no size until it is given one."""
    session = page.context.new_cdp_session(page)
    session.send("Emulation.setTouchEmulationEnabled", {"enabled": True})
    session.send("Emulation.setDeviceMetricsOverride", _SCREEN)
    try:
        assert page.evaluate("matchMedia('(pointer: coarse)').matches && screen.width") == PHONE["viewport"]["width"]
        yield
    finally:
        session.detach()
