"""What the RAPI client says reaches people in their language, with the values in it, and Ganeti's words as they are."""

from __future__ import annotations

import re

import pytest

from clusters.saying import said, say, words_of
from rapi.errors import NotFound, RapiError, Refused, TimedOut
from rapi.refusals import explain_refusal
from rapi.shapes import ClusterInfo
from rapi.shapes.fields import BadRecord
from rapi.transport import Answer
from rapi.words import words as _
from tests.words.pseudo import plain_words, spoken

NOTHING = re.compile(r"$^")


def bad_record() -> RapiError:
    with pytest.raises(BadRecord) as found:
        ClusterInfo.parse({"name": "zz"})
    return found.value


def test_english_is_what_the_client_says() -> None:
    error = TimedOut(_("No answer within %(limit)s s.", limit="30"), where="lab:5080")
    assert str(error) == say(error) == "lab:5080: No answer within 30 s."
    assert said(bad_record()) == str(bad_record())


def test_a_sentence_is_translated_and_its_value_stays() -> None:
    error = TimedOut(_("No answer within %(limit)s s.", limit="thirty"), where="lab:5080")
    with spoken():
        assert plain_words(say(error), NOTHING) == ("lab", "thirty")


def test_a_sentence_within_a_sentence_is_translated() -> None:
    error = bad_record()
    assert isinstance(error.args[0].values["error"], str)
    with spoken():
        assert set(plain_words(said(error), NOTHING)) <= {"uuid", "cluster", "zz"}


def test_the_words_of_ganeti_stay() -> None:
    with spoken():
        assert words_of(Refused("Instance 'zz' is running", where="lab:5080")) == "Instance 'zz' is running"


@pytest.mark.parametrize("status", [401, 403, 404, 501, 502, 503, 504, 500])
def test_an_answer_without_words_is_explained_in_ours(status: int) -> None:
    for value in ({}, None):
        error = explain_refusal(Answer(status, value, is_json=value is not None, seconds=1.0, size=2), "", changes=True)
        with spoken():
            assert plain_words(words_of(error), NOTHING) == ()


def test_an_error_that_carries_a_value_with_a_percent_sign() -> None:
    error = NotFound(_("%(name)s can't be the name of anything in Ganeti.", name="100%s"))
    with spoken():
        assert words_of(error).startswith("100%s ")
    assert said(_("At 100 %")) == "At 100 %"
