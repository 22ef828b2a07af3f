"""Contrast of every pair of colours that pages use, computed from static/css/tokens.css (WCAG 2.2 AA)."""

import pytest

from ui.theming.contrast import SHAPE_PAIRS, TEXT_PAIRS, contrast, find_weak, read_tokens


@pytest.mark.feature("G026")
def test_text_can_be_read_and_shapes_can_be_seen():
    assert find_weak({}) == []


@pytest.mark.feature("G026")
def test_every_ink_and_every_ground_is_measured():
    """What is left out is seen beside what is measured: lines that only part, and what is held of a meter."""
    named = {name for pair in (*TEXT_PAIRS, *SHAPE_PAIRS) for name in pair}
    ours = read_tokens()
    assert named <= set(ours["light"]) == set(ours["dark"])
    assert set(ours["light"]) - named == {"line", "line-strong", "nav-line", "meter-held", "screen-frame"}


def test_contrast_is_that_of_the_guidelines():
    """Known values: black on white, a colour on itself, and the grey that just passes on white."""
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#1b57c6", "#1b57c6") == pytest.approx(1)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.005)
    assert contrast("#ffffff", "#777777") == pytest.approx(4.48, abs=0.005)
