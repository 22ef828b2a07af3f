"""The sealed note: what we did not write is refused, and it says just what it must."""

import json
import zlib

import pytest
from django.core import signing
from django.core.signing import b64_decode

from gwm.live.note import LONGEST, BadNote, Note

pytestmark = pytest.mark.feature("G045")
NOTE = Note(7, "mark", 1_700_000_000.25, ("vm:1", "vms:*"), ("jobs:*",), ("age:2",))


def test_a_note_comes_back_as_it_was_sealed() -> None:
    assert Note.open(NOTE.seal()) == NOTE


def test_a_note_with_another_letter_is_refused() -> None:
    text = NOTE.seal()
    for at in range(0, len(text), 5):
        with pytest.raises(BadNote):
            Note.open(text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :])


def test_what_we_did_not_write_is_refused() -> None:
    foreign = [signing.dumps([1]), signing.dumps([1, "s", 0, [], [], []], salt="other")]
    for text in ["", ":", "x", "x" * (LONGEST + 1), *foreign]:
        with pytest.raises(BadNote):
            Note.open(text)


def test_a_note_holds_no_more_than_it_says() -> None:
    content = NOTE.seal().split(":")[0]
    packed = b64_decode(content.lstrip(".").encode())
    read = json.loads(zlib.decompress(packed) if content.startswith(".") else packed)
    assert read == [7, "mark", 1_700_000_000.25, ["vm:1", "vms:*"], ["jobs:*"], ["age:2"]]


@pytest.mark.parametrize(
    ("touched", "parts"),
    [
        ({"vm:1"}, ["page"]),
        ({"vm:2"}, []),
        ({"vms:*", "jobs:*"}, ["page", "frame"]),
        ({"age:2"}, ["ages"]),
        (set(), []),
    ],
)
def test_it_knows_which_part_is_touched(touched: set[str], parts: list[str]) -> None:
    assert NOTE.touched_by(touched) == parts
