"""What a program sees of good Spanish and Greek: punctuation, letters, forms of address, one word for one thing."""

# ruff: noqa: RUF001 (Greek letters are meant)

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

import polib
import pytest

from tools.catalogues import LOCALE

pytestmark = pytest.mark.feature("F009")

# What is not said but put in, typed or read by a program.
_NOT_SAID = re.compile(
    r"%\(\w+\)\w|\{.*?\}|<[^>]*>|\(needs \w+\)|\b[a-z]\w*:(?= [a-z]|$)"
    r"|\bgnt-\w+ ?\w*|\bopenssl .*|\w+_\w+|\w*/[\w./-]+|\b[A-Z]{2,}\b"
)
_FILTERS = re.compile(r"[a-z]+:(?: [a-z]+:)+$")
_GREEK, _LATIN = "\u0370-\u03ff\u1f00-\u1fff", "A-Za-z"
_TWO_ALPHABETS = re.compile(rf"[{_GREEK}][{_LATIN}]|[{_LATIN}][{_GREEK}]")
# Spanish says "usted" and Greek the plural to whoever reads: forms of the other address that nothing else looks like.
_FAMILIAR = {
    "es": r"\b(?:tus?|tú|ti|puedes|tienes|debes|eres|quieres|haz|inténtalo|elígel[oa])\b",
    "el": r"\b(?:σου|εσύ|μπορείς|έχεις|είσαι|δώσε|επίλεξε|κάνε|δες|γράψε|πληκτρολόγησε|δοκίμασε|πρέπει να έχεις)\b",
}
# One thing has one word: where the English has the first, the translation has the second (locale/*/glossary.md).
_WORDS = {
    "es": {
        "nodes?": "nodo",
        "clusters?": "clúster",
        "virtual machines?": "máquinas? virtual",
        "machines?": "máquina",
        "tags?": "etiqueta",
        "quotas?": "cuota",
        "journal": "diario",
        "batch(?:es)?": "lote",
        "jobs?": "trabajo",
        "teams?": "equipo",
        "owners?": "propietari",
        "hypervisors?": "hipervisor",
        "guests?": "invitado|sistemas?",
        "passwords?": "contraseña",
        "passkeys?": "llaves? de acceso",
        "second factors?": "segundos? factor",
        "fingerprints?": "huella",
        "roles?": "rol|función",
        "workers?": "worker",
        "failover|fail over": "failover",
        "migrat(?:e|ed|ing|ions?)": "migr",
        "allocators?": "asignador",
        "drained": "drenad",
        "pools?": "pool",
    },
    "el": {
        "nodes?": "κόμβ",
        "clusters?": "συστοιχ",
        "virtual machines?": "εικονικ.* μηχαν",
        "machines?": "μηχαν",
        "tags?": "ετικ[εέ]τ|tag",
        "quotas?": "[οό]ρι|ορί",
        "journal": "ημερολογ|ημερολόγ",
        "jobs?": "εργασ",
        "teams?": "ομάδ",
        "owners?": "κ[αά]τ[οό]χ",
        "hypervisors?": "hypervisor",
        "guests?": "guest",
        "passwords?": "κωδικ",
        "passkeys?": "passkey",
        "second factors?": "δεύτερ",
        "fingerprints?": "αποτυπ|αποτύπ",
        "roles?": "ρόλ",
        "workers?": "worker",
        "proxy": "proxy",
        "failover|fail over": "failover",
        "migrat(?:e|ed|ing|ions?)": "μετ[αά]φ|migration",
        "allocators?": "allocator",
        "drained": "drained",
        "pools?": "pool",
    },
}
# Programs are meant, such as one that watches the service.
_OTHERWISE = {"as of this moment; for machines: "}
LANGUAGES = sorted(_WORDS)


@lru_cache
def pairs_of(language: str) -> tuple[tuple[str, str], ...]:
    """Each sentence and its translation, those for one and for several apart."""

    def pairs() -> Iterator[tuple[str, str]]:
        for entry in polib.pofile(str(LOCALE / language / "LC_MESSAGES" / "django.po")):
            if not entry.msgid_plural:
                yield entry.msgid, entry.msgstr
            for number, text in entry.msgstr_plural.items():
                yield entry.msgid if number == 0 else entry.msgid_plural, text

    return tuple(pairs())


def said_in(text: str) -> str:
    return _NOT_SAID.sub("", text)


def end_of(text: str) -> str:
    """The mark that ends a text, if one does."""
    last = text.rstrip()[-1:]
    return last if last in ".:…?!;," else ""


def test_a_question_in_spanish_is_opened_and_one_in_greek_ends_as_greek_does() -> None:
    unlike = [text for _said, text in pairs_of("es") if text.count("¿") != text.count("?")]
    unlike += [text for _said, text in pairs_of("es") if text.count("¡") != text.count("!")]
    assert unlike + [text for _said, text in pairs_of("el") if "?" in text] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translation_ends_as_its_sentence_does(language: str) -> None:
    ask = {"es": "?", "el": ";"}[language]
    ends = [(said, text, end_of(said).replace("?", ask)) for said, text in pairs_of(language)]
    assert [(said, text) for said, text, end in ends if end_of(text) != end] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_quotation_marks_are_those_of_the_language(language: str) -> None:
    # "" is what is typed for an empty value.
    texts = [_NOT_SAID.sub("", text.replace('""', "")) for _said, text in pairs_of(language)]
    assert [text for text in texts if re.search('["“”„‘]', text) or text.count("«") != text.count("»")] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_filters_that_a_field_offers_are_those_that_can_be_typed(language: str) -> None:
    offered = [(found.group(), text) for said, text in pairs_of(language) if (found := _FILTERS.search(said))]
    assert len(offered) > 5
    assert [text for filters, text in offered if not text.endswith(filters)] == []


def test_no_greek_word_has_a_latin_letter_that_looks_alike() -> None:
    assert [text for _said, text in pairs_of("el") if _TWO_ALPHABETS.search(text)] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_people_are_addressed_politely(language: str) -> None:
    familiar = re.compile(_FAMILIAR[language], re.IGNORECASE)
    assert [text for _said, text in pairs_of(language) if familiar.search(text)] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_thing_has_one_word(language: str) -> None:
    said = [(said_in(english).lower(), text) for english, text in pairs_of(language)]
    other = []
    for english, word in _WORDS[language].items():
        means, calls = re.compile(rf"\b(?:{english})\b"), re.compile(word, re.IGNORECASE)
        about = [(each, text) for each, text in said if means.search(each) and each not in _OTHERWISE]
        assert about, english
        other += [(english, each, text) for each, text in about if not calls.search(text)]
    assert other == []
