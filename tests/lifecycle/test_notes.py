"""Notes on a machine: who edits them, how they are drawn, and that nothing typed into them does harm."""

import re

import pytest
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from objectlog.models import Entry, Outcome
from operations.contract import Invalid
from tests.fixtures.computing import cpu_seconds
from tests.fixtures.databases import some_in_fast
from tests.lifecycle.conftest import Scene, begin
from virtualmachines.filters import MACHINES
from virtualmachines.models import VirtualMachine
from virtualmachines.notes import LONGEST, draw_notes
from virtualmachines.operations.noting import version_of_notes

pytestmark = pytest.mark.django_db(transaction=True)

HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt&colon;alert(1))",
    "[x](java&#115;cript:alert(1))",
    "[x](vbscript:x)",
    "[x](data:text/html;base64,PHN2Zz4=)",
    "![x](data:image/png;base64,AAAA)",
    "![x](https://example.org/who-looks.png)",
    '[x](https://example.org "a\\" onclick=\\"alert(1)")',
    '<a href="https://example.org" style="position:fixed">x</a>',
    "[x]: javascript:alert(1)\n\n[x]",
    '```html" onclick="alert(1)\n</code><script>\n```',
]
_TAG = re.compile(r"<(/?)([a-z][a-z0-9]*)([^<>]*)>")
_ALLOWED = {"href", "title", "rel", "start"}


def assert_harmless(drawn: str) -> None:
    """Only tags and attributes that can't do anything, and links that lead to pages or mail."""
    assert "<" not in _TAG.sub("", drawn)
    for _, tag, rest in _TAG.findall(drawn):
        assert tag not in ("script", "img", "style", "iframe", "svg", "form", "input", "h1", "h2")
        attributes = dict(re.findall(r'([\w-]+)="([^"]*)"', rest))
        assert set(attributes) <= _ALLOWED
        if ":" in (href := attributes.get("href", "")).split("/")[0]:
            assert href.split(":")[0].lower() in ("http", "https", "mailto")


@pytest.mark.alike
@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_notes_do_nothing(text: str) -> None:
    assert_harmless(draw_notes(text))


@pytest.mark.alike
@given(st.lists(st.sampled_from([*HOSTILE, *"<>[]()!*_`\"'&:#|-\n \\", "a", "https://x.y"]), max_size=30))
def test_no_mixture_of_them_does_either(parts: list[str]) -> None:
    assert_harmless(draw_notes("".join(parts)))


@pytest.mark.alike
def test_what_markdown_says_is_drawn() -> None:
    drawn = draw_notes("# Web\nAsk **Bob**\nfirst: [wiki](https://wiki.example.org)\n\n- `one`\n\n|a|\n|-|\n|1|")
    for part in (
        "<h3>Web</h3>",
        "<strong>Bob</strong><br>",
        'href="https://wiki.example.org"',
        "<code>one</code>",
        "<td>",
    ):
        assert part in drawn
    assert 'rel="noopener noreferrer nofollow"' in drawn


@pytest.mark.alike
@pytest.mark.parametrize(
    "part",
    some_in_fast(
        [">", "> ", "- ", "[", "![", "[a](", "[a][b", "*a **b ", "_a", "`", "~~a", "<", "|", "|a\n|-\n", "&amp;", "\\"],
        4,
    ),
)
def test_even_huge_and_nested_notes_take_little_time(part: str) -> None:
    """Drawn once for each text: what is longer than notes may be is left out, and nothing is nested without end."""
    text = part * (LONGEST * 10 // len(part))
    assert cpu_seconds(lambda: draw_notes(text)) < 2
    drawn = draw_notes(text)
    assert drawn.count("<blockquote>") + drawn.count("<ul>") < 50
    before = draw_notes.cache_info().hits
    assert draw_notes(text) is drawn
    assert draw_notes.cache_info().hits == before + 1


@pytest.mark.feature("F193")
def test_the_journal_keeps_what_they_said_before(mine: Scene) -> None:
    calls = mine.submissions()
    assert begin(mine, "notes", notes="Ask *Bob*").outcome == Outcome.DONE
    entry = begin(mine, "notes", notes="Ask *Eve*")
    assert VirtualMachine.objects.get(pk=mine.vm.pk).notes == "Ask *Eve*"
    changes = Entry.objects.get(pk=entry.pk).changes
    assert changes is not None
    [change] = changes
    assert (change["before"], change["after"]) == ("Ask *Bob*", "Ask *Eve*")
    assert mine.submissions() == calls
    with pytest.raises(Invalid, match="already"):
        begin(mine, "notes", notes="Ask *Eve*")
    with pytest.raises(Invalid, match="10000"):
        begin(mine, "notes", notes="x" * (LONGEST + 1))


def test_who_did_not_see_the_last_change_is_told(mine: Scene) -> None:
    """In the operation, for all callers and while the row is locked."""
    begin(mine, "notes", notes="one")
    with pytest.raises(Invalid, match="Somebody has changed"):
        begin(mine, "notes", notes="two", opened=version_of_notes(""))
    assert begin(mine, "notes", notes="two", opened=version_of_notes("one")).outcome == Outcome.DONE


@pytest.mark.feature("F137", "F193")
def test_two_people_edit_them_on_the_page(mine: Scene, client: Client) -> None:
    client.force_login(mine.alice.user)
    url = reverse("vm-do", args=[mine.cluster.slug, mine.vm.lasting_address, "notes"])
    opened = version_of_notes("")
    begin(mine, "notes", notes="Eve was **here**")
    answer = client.post(url, {"notes": "mine", "opened": opened})
    page = answer.content.decode()
    assert answer.status_code == 422 and "Somebody has changed" in page and ">\nmine</textarea>" in page
    assert VirtualMachine.objects.get(pk=mine.vm.pk).notes == "Eve was **here**"
    now = version_of_notes("Eve was **here**")
    assert f'name="opened" value="{now}"' in page
    assert (
        "<del>Eve was **here**</del>"
        in client.post(url, {"notes": "mine", "opened": now, "preview": "1"}).content.decode()
    )
    assert client.post(url, {"notes": "mine\r\n- *two*", "opened": now}).status_code == 302
    shown = client.get(reverse("vm", args=[mine.cluster.slug, mine.vm.address])).content.decode()
    assert "<em>two</em>" in shown and url in shown


def test_a_word_in_them_finds_the_machine(mine: Scene) -> None:
    begin(mine, "notes", notes="Rack Fourteen")
    for word in ("fourteen", "rack"):
        assert VirtualMachine.objects.filter(MACHINES.word(word)).get() == mine.vm
    begin(mine, "notes", notes="")
    assert not VirtualMachine.objects.filter(MACHINES.word("fourteen")).exists()
