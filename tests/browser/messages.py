"""What a page says in its messages. What went well leaves by itself after seconds, which a busy machine may miss.

So messages are written down where they come, in the page: with its HTML, or by a script.
"""

from __future__ import annotations

import re
from typing import Any
from weakref import WeakKeyDictionary

from playwright.sync_api import BrowserContext, Page

from tests.browser.waiting import wait_for

#: Something was sent to a cluster; what has ended by the time that it is told is told as ended.
SENT = r"job \d+ is in progress|(Rebooted|Started|Shut down|Deleted) [^\s:]+(\s|$)"
_TELL = """
addEventListener("DOMContentLoaded", () => {
  const area = document.getElementById("toasts");
  const tell = (message) => message.checkVisibility() && window.tellMessage(message.textContent.trim());
  const tellAll = (nodes) => [...nodes].filter((node) => node.matches?.(".toast")).forEach(tell);
  if (!area) return;
  tellAll(area.children);
  new MutationObserver((all) => all.forEach((each) => tellAll(each.addedNodes))).observe(area, { childList: true });
});
"""
_said: WeakKeyDictionary[Page, list[str]] = WeakKeyDictionary()


def write_down_messages(context: BrowserContext) -> None:
    """Of all pages that are opened in this browser from now on."""

    def take(source: Any, words: str) -> None:
        _said.setdefault(source["page"], []).append(words)

    context.expose_binding("tellMessage", take)
    context.add_init_script(_TELL)


def hear(page: Page, pattern: str) -> re.Match[str]:
    """Wait for a message in which the pattern is found; it and those before it are not heard again.

    In vain: the error says what was said instead, and what the page asks or shows.
    """

    def find() -> re.Match[str] | None:
        said = _said.get(page, [])
        for number, words in enumerate(said):
            if found := re.search(pattern, words):
                del said[: number + 1]
                return found
        return None

    try:
        found = wait_for(page, find, f"a message with {pattern!r}")
    except AssertionError as error:
        shown = page.locator("dialog[open]").all_inner_texts() or page.locator("main").all_inner_texts()
        error.add_note(f"Said were {_said.get(page, [])}; {page.url} shows {' '.join(shown)[:600]!r}")
        raise
    assert found is not None
    return found
