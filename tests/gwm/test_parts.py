"""Icons, states, meters and sort links."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.template import Context
from django.test import RequestFactory
from django.utils import timezone

from clusters.models import JobStatus
from objectlog.models import Outcome
from operations.table import OPERATIONS
from ui.templatetags import parts, times
from virtualmachines.states import STATES, state_of

ROOT = Path(__file__).resolve().parents[2]
MARKUP = "<b onclick=x>"


@pytest.mark.feature("F127")
@pytest.mark.parametrize(
    ("value", "kind", "word"),
    [
        ("running", "ok", "running"),
        ("ADMIN_down", "off", "stopped"),
        ("ERROR_down", "bad", "crashed"),
        ("ERROR_nodeoffline", "warn", "node offline"),
        ("migrating", "busy", "migrating"),
        ("something new", "unknown", "something new"),
        ("", "unknown", "not known"),
    ],
)
def test_a_state_has_shape_word_and_colour(value, kind, word):
    html = parts.state(value)
    assert f"#s-{kind}" in html
    assert f"</svg>{word}</span>" in html
    assert ("is-off" if kind == "unknown" else f"is-{kind}") in html


@pytest.mark.parametrize("status", [*STATES, "not yet read"])
def test_every_state_of_a_machine_is_drawn(status):
    shown = state_of(status)
    html = parts.state(shown)
    assert f"</svg>{shown.word}</span>" in html
    assert "s-unknown" not in html
    assert not shown.explanation or f'title="{shown.explanation}"' in html


def test_every_operation_has_an_icon_on_the_sheet():
    sheet = (ROOT / "static/img/icons.svg").read_text()
    for operation in OPERATIONS.values():
        assert operation.icon, operation.name
        assert f'id="{operation.icon}"' in sheet, operation.name


def test_every_state_of_jobs_and_of_the_journal_is_drawn():
    for value in [*JobStatus.values, *Outcome.values]:
        assert parts.look_of(value).kind != "unknown", value


def test_a_running_job_is_under_way_and_a_running_machine_is_well():
    assert "is-busy" in parts.job_state("running")
    assert "is-ok" in parts.state("running")


def test_every_icon_used_in_a_template_is_on_the_sheet():
    sheet = set(re.findall(r'<symbol id="([^"]+)"', (ROOT / "static/img/icons.svg").read_text()))
    used = set()
    for path in (ROOT / "templates").rglob("*.html"):
        used.update(re.findall(r'{% icon "([^"]+)"', path.read_text()))
    assert used <= sheet


@pytest.mark.parametrize(
    ("name", "host", "domain"),
    [
        ("web1.example.org", "web1", ".example.org"),
        ("web1", "web1", ""),
        ("192.0.2.7", "192.0.2.7", ""),
        ("2001:db8::1", "2001:db8::1", ""),
    ],
)
def test_a_host_name_is_strong_and_its_domain_faint(name, host, domain):
    html = parts.hostname(name)
    assert f'<span class="host">{host}</span>' in html
    assert ("domain" in html) == bool(domain)
    assert re.sub("<[^>]+>", "", html) == name


@pytest.mark.feature("F028")
def test_a_meter_changes_at_its_thresholds_and_says_its_figures():
    assert "is-warn" not in parts.meter(79, 100, "Memory")
    assert "#s-warn" in parts.meter(80, 100, "Memory")
    full = parts.meter(95, 100, "Memory", held=20)
    assert "#s-bad" in full
    assert 'width="5.0"' in full, "what is reserved ends where the bar ends"
    assert 'aria-label="Memory: 95 of 100\u00a0MiB"' in full


def test_a_meter_without_figures_is_empty_and_says_so():
    html = parts.meter(None, 51_200, "Memory")
    assert 'role="meter"' not in html
    assert 'class="used" width="0.0"' in html
    assert "– of 50.0" in html  # noqa: RUF001


@pytest.mark.feature("G002")
def test_old_data_is_marked():
    now = timezone.now()
    assert "is-stale" not in times.fresh(now)
    assert "is-stale" in times.fresh(now - timedelta(minutes=10))
    assert "never updated" in times.fresh(None)


@pytest.mark.feature("F126")
def test_a_sort_link_turns_round_and_keeps_the_filter():
    request = RequestFactory().get("/vms/?q=web&page=3&sort=name")
    context = Context({"request": request})
    name = parts.sort_header(context, "name", "Name")
    assert 'aria-sort="ascending"' in name
    assert "?q=web&amp;sort=-name" in name
    memory = parts.sort_header(context, "memory", "Memory", css="num", first="desc")
    assert "aria-sort" not in memory
    assert "sort=-memory" in memory


def test_a_filter_can_be_taken_away():
    request = RequestFactory().get("/vms/?tag=a&tag=b&page=2&q=x")
    context = Context({"request": request})
    assert parts.without(context, "tag", "a") == "?tag=b&q=x"
    assert parts.without(context, "tag") == "?q=x"


@pytest.mark.parametrize(
    "html",
    [
        parts.state(MARKUP, title='"' + MARKUP),
        parts.hostname(MARKUP + ".x"),
        parts.icon("play", title=MARKUP),
        parts.meter(1, 2, MARKUP, figures=MARKUP),
    ],
)
def test_what_comes_from_outside_is_escaped(html):
    assert "<b" not in html
    assert '""' not in html


@pytest.mark.parametrize(("name", "text"), [("web-team", "WT"), ("peter", "PE"), ("a.b.c", "AB"), ("x", "X")])
def test_initials(name, text):
    assert parts.initials(name) == text


def test_a_clock_tells_its_zone_and_the_day_only_when_it_is_another():
    now = timezone.now()
    assert re.search(r">\d\d:\d\d UTC</time>", times.clock(now))
    assert re.search(r">\d{1,2} \w{3} \d\d:\d\d UTC</time>", times.clock(now - timedelta(days=3)))
    assert re.search(r">\d{4}-\d\d-\d\d \d\d:\d\d UTC</time>", times.moment(now))


def test_every_clock_time_can_be_written_in_the_readers_zone():
    now = timezone.now()
    for drawn, form in [
        (times.clock(now), "clock"),
        (times.moment(now), "moment"),
        (times.time_of_day(now), "seconds"),
    ]:
        assert f'data-clock="{form}"' in drawn
    assert times.zone() == "<span data-zone>UTC</span>"


def test_what_lasts_ticks_and_what_ended_stands():
    now = timezone.now()
    assert "data-lasting" in times.took(now - timedelta(seconds=90), None)
    assert times.took(now - timedelta(seconds=90), now).replace("\u00a0", " ") == "1 min 30 s"
    assert times.took(None, None) == "–"  # noqa: RUF001


@pytest.mark.parametrize(("words", "ended"), [("timed out", "timed out."), ("Refused.", "Refused."), ("", "")])
def test_other_peoples_words_end_with_a_full_stop(words, ended):
    assert parts.full_stop(words) == ended
