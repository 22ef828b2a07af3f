"""The catalogues in locale/: complete, compiled, and with the values and the markup of each sentence."""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache
from pathlib import Path

import polib
import pytest
from django.conf import settings

from tools.catalogues import key_of, list_catalogues

Extracted = tuple[polib.POFile, str]

_VALUES = re.compile(r"%\(\w+\)[\d.]*[sdf]|%[\d.]*[sdf]|%%|\{\w*\}|</?[a-z][^>]*>|&#?\w+;")

pytestmark = pytest.mark.feature("F009")


def language_of(path: Path) -> str:
    return path.parent.parent.name


@lru_cache
def read(path: Path) -> polib.POFile:
    return polib.pofile(str(path))


def is_like(said: str, translated: str) -> bool:
    """Whether both have the same values and markup, and begin and end with the same blanks and newlines."""
    edges = ("\n", " ")
    return Counter(_VALUES.findall(said)) == Counter(_VALUES.findall(translated)) and all(
        said.startswith(each) == translated.startswith(each) and said.endswith(each) == translated.endswith(each)
        for each in edges
    )


def list_unlike(entry: polib.POEntry) -> list[str]:
    """The translations of an entry that do not fit it. Where the number is one, a language may say it by a word."""
    if not entry.msgid_plural:
        return [entry.msgstr] if entry.msgstr and not is_like(entry.msgid, entry.msgstr) else []
    one, *more = [text for _number, text in sorted(entry.msgstr_plural.items())]
    fits = not set(_VALUES.findall(one)) - set(_VALUES.findall(entry.msgid_plural))
    return [text for text in more if text and not is_like(entry.msgid_plural, text)] + ([] if fits else [one])


@pytest.mark.parametrize("path", list_catalogues(), ids=language_of)
def test_translations_have_the_values_and_the_markup_of_their_sentence(path: Path) -> None:
    assert [(entry.msgid, wrong) for entry in read(path) for wrong in list_unlike(entry)] == []


def test_every_language_has_a_catalogue() -> None:
    assert [code for code, _name in settings.LANGUAGES] == ["en", *map(language_of, list_catalogues())]


@pytest.mark.parametrize("path", list_catalogues(), ids=language_of)
def test_a_catalogue_is_complete(path: Path, extracted: Extracted) -> None:
    said = {key_of(entry) for entry in extracted[0]}
    known = {key_of(entry): entry.translated() for entry in read(path)}
    assert sorted(key for key in said if not known.get(key)) == [], "python -m tools.catalogues, then translate these."
    assert sorted(known.keys() - said) == [], "python -m tools.catalogues takes these away."


@pytest.mark.parametrize("path", list_catalogues(), ids=language_of)
def test_a_catalogue_is_compiled(path: Path) -> None:
    compiled = path.with_suffix(".mo").read_bytes()
    assert compiled == read(path).to_binary(), "Run python -m tools.catalogues."


@pytest.mark.parametrize(
    ("said", "translated", "fits"),
    [
        ("%(who)s on %(what)s", "%(what)s: %(who)s", True),
        ("%(who)s on %(what)s", "%(wer)s: %(what)s", False),
        ("%s of %d", "%s", False),
        ("Read <b>{name}</b>", "<b>{name}</b> lesen", True),
        ("Read <b>{name}</b>", "{name} lesen", False),
        (" and %d more", "und %d weitere", False),
        ('<a href="/x">x</a>', '<a href="/y">x</a>', False),
    ],
)
def test_what_fits(said: str, translated: str, fits: bool) -> None:
    assert is_like(said, translated) == fits
