"""What the canvas of a console shows: its pixels as the browser has drawn them."""

from __future__ import annotations

import base64
from typing import Any

from tests.browser.waiting import wait_for

# Through a canvas of our own: reading back the shown one would slow it down, and Chromium would say so.
READ = """(canvas, top) => {
    const copy = new OffscreenCanvas(canvas.width, canvas.height - top);
    const context = copy.getContext("2d", {willReadFrequently: true});
    context.drawImage(canvas, 0, -top);
    const data = context.getImageData(0, 0, copy.width, copy.height).data;
    let text = "";
    for (let at = 0; at < data.length; at += 32768) text += String.fromCharCode(...data.subarray(at, at + 32768));
    return btoa(text);
}"""


def canvas(page: Any) -> Any:
    """The screen of the console on this page."""
    return page.locator("[data-part=screen] canvas")


def wait_connected(page: Any) -> None:
    """Until the console stands. A page that a change of this machine's networks cut off is loaded anew, as it says."""
    lacks_scripts = page.locator(".console-first").get_by_text("Not connected")

    def stands() -> bool:
        if lacks_scripts.is_visible():
            page.reload()
        return page.locator("[data-console]").get_attribute("data-state") == "on"

    wait_for(page, stands, "the console to stand")


def pixels(page: Any, top: int = 0) -> bytes:
    """The pixels below row `top`, four bytes each: red, green, blue, alpha."""
    return base64.b64decode(canvas(page).evaluate(READ, top))


def colors(page: Any, top: int = 0) -> set[bytes]:
    """The different colours on the screen."""
    data = pixels(page, top)
    return {data[at : at + 3] for at in range(0, len(data), 4)}


def wait_for_change(page: Any, before: bytes, top: int = 0) -> bytes:
    """The pixels as soon as they differ from `before`."""

    def changed() -> bytes:
        now = pixels(page, top) if canvas(page).count() else before
        return now if now != before else b""

    return wait_for(page, changed, "the screen to change", every_ms=300)


def wait_until_still(page: Any, top: int = 0) -> bytes:
    """The pixels once two looks, a second apart, saw the same."""
    seen = [b""]

    def same() -> bytes:
        before, seen[0] = seen[0], pixels(page, top)
        return seen[0] if seen[0] == before else b""

    return wait_for(page, same, "the screen to stand still", every_ms=1000)
