"""The catalogue that translators get: made without a complaint, and with everything in it."""

from __future__ import annotations

import polib
import pytest

Extracted = tuple[polib.POFile, str]


def test_makemessages_has_nothing_to_complain_of(extracted: Extracted) -> None:
    assert extracted[1].strip() == "processing locale de"


@pytest.mark.parametrize(
    "text",
    [
        "Keyboard shortcuts",  # a template
        "Showing data from %(read_at)s.",  # with a value
        "Force {target} off?",  # an operation
        "Shutdown timeout, in seconds",  # a form
        "In progress",  # a filter
        "being cancelled",  # a state
        "Ganeti does not know job %(number)s any more.",  # the RAPI client, which knows no Django
        "Grow a disk of %s",  # the title of a job
        "Gave %(verbs)s on %(object)s to %(who)s",  # the journal
        "Connecting again in {seconds} s.",  # a script
        "%d job in progress",  # with a plural
    ],
)
def test_a_sentence_is_in_the_catalogue(extracted: Extracted, text: str) -> None:
    assert extracted[0].find(text) is not None
