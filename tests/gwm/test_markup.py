"""Templates and style sheets keep to the content policy: no inline script, no inline style, nothing from elsewhere."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
SHEETS = sorted((ROOT / "static/css").glob("*.css"))
MODULES = sorted((ROOT / "static/js").glob("*.js"))


def offenders(pattern, files):
    return [
        f"{path.relative_to(ROOT)}: {match.group(0)[:60]}"
        for path in files
        for match in re.finditer(pattern, path.read_text(), re.IGNORECASE)
    ]


def test_no_inline_style_or_script():
    assert offenders(r"\sstyle\s*=", TEMPLATES) == []
    assert offenders(r"\son[a-z]+\s*=\s*[\"']|hx-on", TEMPLATES) == []
    assert offenders(r"<script(?![^>]*\ssrc=)[^>]*>(?!\s*</script>)", TEMPLATES) == []
    assert offenders(r"<style", TEMPLATES) == []


def test_nothing_comes_from_another_site():
    assert offenders(r"(?:src|href)=[\"'](?:https?:)?//", TEMPLATES) == []
    assert offenders(r"url\([\"']?(?:https?:)?//|@import", SHEETS) == []
    assert offenders(r"(?:import|from)\s*\(?[\"'](?:https?:)?//", MODULES) == []
    assert offenders(r"\beval\(|new Function|(?<!swap: \")innerHTML", MODULES) == []


def test_colours_stand_in_the_tokens_only():
    others = [path for path in SHEETS if path.name not in {"tokens.css", "console.css"}]
    assert offenders(r"#[0-9a-f]{6}\b", others) == []
