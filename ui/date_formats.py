"""How days are written in figures, by the setting GWM_DATE_FORMAT; static/js/times.js does it, too.

The letters are Django's: `Y` the year, `y` its last two figures, `m` the month and `d` the day with two figures, `n`
and `j` with as many as needed.
"""

import re

# Year, month and day once each, with something between them that is no letter.
_FORM = re.compile(r"(?=.*y)(?=.*[mn])(?=.*[dj])[ymndj][-./ ]{1,2}[ymndj][-./ ]{1,2}[ymndj]", re.IGNORECASE)
_LETTERS = frozenset("Yymndj-./ ")


def is_date_format(text: str) -> bool:
    """Whether it says year, month and day."""
    return _FORM.fullmatch(text) is not None and set(text) <= _LETTERS
