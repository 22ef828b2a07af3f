"""Write the table of docs/settings.md from gwm/env.py: `python -m tools.settings_table`."""

from __future__ import annotations

from pathlib import Path

from gwm.env import SETTINGS, Setting

PAGE = Path(__file__).resolve().parent.parent / "docs" / "settings.md"
_BEGIN, _END = "<!-- table -->\n", "<!-- end of table -->\n"
_KINDS = {"flag": "yes or no", "integer": "whole number", "words": "comma list", "url": "address"}


def describe(setting: Setting) -> str:
    """Return a row of the table."""
    default = setting.shown_default or (f"`{setting.default}`" if setting.default else "")
    limits = ""
    if setting.least or setting.most < float("inf"):
        limits = f" ({setting.least:g} …{'' if setting.most == float('inf') else f' {setting.most:g}'})"
    kind = _KINDS.get(setting.kind, setting.kind)
    return f"| `{setting.name}` | {kind}{limits} | {default} | {setting.help}{' Secret.' if setting.secret else ''} |\n"


def render(page: str) -> str:
    """Return the page with the table as the code has it."""
    before, _, rest = page.partition(_BEGIN)
    after = rest.partition(_END)[2]
    head = "| setting | kind | default | meaning |\n|---|---|---|---|\n"
    return before + _BEGIN + head + "".join(describe(setting) for setting in SETTINGS) + _END + after


if __name__ == "__main__":
    PAGE.write_text(render(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
