"""What a new account may be called: nothing that people would take for the name of somebody else.

The idea is that of Unicode's Technical Standard 39, with as much of it as names here need: the letters of a name are of
one script, and two names are alike if they are drawn alike.
"""

import re
import unicodedata
from collections.abc import Iterable

from objectlog.words import gettext as _
from permissions.models import User

# The scripts that are written today (UAX 31, table 5), as the Unicode names of their letters begin.
_SCRIPTS = frozenset(
    re.split(
        r"\s+",
        "ARABIC ARMENIAN BENGALI BOPOMOFO CJK CYRILLIC DEVANAGARI ETHIOPIC GEORGIAN GREEK GUJARATI GURMUKHI HANGUL "
        "HEBREW HIRAGANA KANNADA KATAKANA KHMER LAO LATIN MALAYALAM MYANMAR ORIYA SINHALA TAMIL TELUGU THAANA THAI "
        "TIBETAN",
    )
)
# Those that are written together.
_TOGETHER = (
    frozenset({"LATIN", "CJK", "HIRAGANA", "KATAKANA"}),
    frozenset({"LATIN", "CJK", "HANGUL"}),
    frozenset({"LATIN", "CJK", "BOPOMOFO"}),
)
# Latin letters of phonetics and of old manuscripts stand apart from those that languages are written with.
_LATIN = re.compile("[\u0000-\u024f\u1e00-\u1eff]")
# What is drawn like a small Latin letter. Some capitals are drawn like another letter than their small form is.
_DRAWN = str.maketrans(
    "АВСЕНІЈКМОРЅТХУԚԜавсеһіјкморѕтхуԁԛԝӏгΑΒΕΖΗΙΚΜΝΟΡΤΥΧαγικνορτυχσհոսցօզıƖǀI10",  # noqa: RUF001
    "abcehljkmopstxyqwabcehijkmopstxydqwlrabezhlkmnoptyxayikvoptuxohnugoqillllo",
)


def find_fault(name: str) -> str:
    """Why no account can be called so, whoever there is; empty if one can."""
    if not any(map(str.isalnum, name)):  # "." and ".." can't stand in a URL
        return _("A user name has at least one letter or digit.")
    scripts = {script for letter in name if (script := _script_of(letter))}
    is_one = len(scripts) <= 1 or any(scripts <= together for together in _TOGETHER)
    if not is_one or not scripts <= _SCRIPTS:
        return _("Use letters of one alphabet, and none that only phonetics or old texts have.")
    return ""


def find_namesake(name: str) -> str:
    """The name of the account that differs from this one in case or in what is drawn alike, or is it; else empty."""
    return find_alike(name, User.objects.order_by("pk").values_list("username", flat=True).iterator())


def find_alike(name: str, names: Iterable[str]) -> str:
    """The first of `names` that people would take for this one; empty if there is none."""
    folded, drawn = name.casefold(), _draw(name)
    return next((each for each in names if each.casefold() == folded or _draw(each) == drawn), "")


def may_be_called(name: str) -> bool:
    """Whether a new account may have this name."""
    return not find_fault(name) and not find_namesake(name)


def _script_of(letter: str) -> str:
    """To which script a letter or digit belongs; empty for what all have in common."""
    if letter.isascii() and not letter.isalpha():
        return ""
    script = re.split("[ -]", unicodedata.name(letter, "?"), maxsplit=1)[0]
    return script if script != "LATIN" or _LATIN.match(letter) else "?"


def _draw(name: str) -> str:
    return unicodedata.normalize("NFKC", name).translate(_DRAWN).casefold()
