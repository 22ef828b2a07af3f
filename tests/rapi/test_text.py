"""What becomes of text that no database or page should get."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapi.text import REPLACEMENT, clean_text

pytestmark = pytest.mark.feature("G046")

BIDI_CONTROLS = {"LRE", "RLE", "PDF", "LRO", "RLO", "LRI", "RLI", "FSI", "PDI"}


@given(st.text(alphabet=st.characters(), max_size=60), st.integers(0, 50), st.booleans())
def test_whatever_comes_is_fit_to_be_stored_and_shown(text: str, limit: int, keep_lines: bool) -> None:
    cleaned = clean_text(text, limit, keep_lines=keep_lines)
    assert len(cleaned) <= limit
    for each in cleaned.replace("\n", "").replace("\t", "") if keep_lines else cleaned:
        assert unicodedata.category(each) not in {"Cc", "Cs", "Zl", "Zp"}
        assert unicodedata.bidirectional(each) not in BIDI_CONTROLS
        assert each not in "\u200e\u200f\u061c"
    cleaned.encode()
    assert clean_text(cleaned, limit, keep_lines=keep_lines) == cleaned


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("web1.example.org", "web1.example.org"),
        ("Bücher auf 日本語, משהו", "Bücher auf 日本語, משהו"),
        ("a\0b\x1b[31mc\x9bd", f"a{REPLACEMENT}b{REPLACEMENT}[31mc{REPLACEMENT}d"),
        ("evil\u202egpj.exe", f"evil{REPLACEMENT}gpj.exe"),
        ("half \ud83d of it", f"half {REPLACEMENT} of it"),
        ("one\r\ntwo\tthree", "one  two three"),
        ("0123456789", "0123456789"),
        ("0123456789x", "012345678…"),
    ],
)
def test_what_is_unfit_is_replaced_and_what_is_long_is_cut(text: str, cleaned: str) -> None:
    assert clean_text(text, 10 if text.startswith("0") else 100) == cleaned


def test_lines_may_be_kept() -> None:
    assert clean_text("one\r\ntwo\rthree\u2028four\tfive\0", 100, keep_lines=True) == (
        f"one\ntwo\nthree\nfour\tfive{REPLACEMENT}"
    )
