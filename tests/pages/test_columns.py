"""Every column of every list, as it is declared: it sorts, shows, and stands in files; and what a person chose."""

import csv
import json
from collections.abc import Callable
from copy import deepcopy
from html import unescape
from io import StringIO
from itertools import product
from typing import Any

import pytest
from django.db import connection
from django.template import Context
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.translation import gettext_lazy

import gwm.urls  # noqa: F401 - its views declare the lists
from objectlog.changes import Change
from objectlog.models import Outcome, Via
from objectlog.services import Target, begin, note
from operations.models import BatchItem
from permissions.models import User
from permissions.selectors import choice_of, find_group
from permissions.services import grant, keep_choice, make_team, persona_of
from tests.factories import (
    make_batch,
    make_cluster,
    make_job,
    make_node,
    make_request,
    make_template,
    make_user,
    make_vm,
)
from tests.fixtures.databases import few_on_both, some_in_fast
from tests.pages.conftest import Site
from ui.columns import Column
from ui.filtering import LONGEST, parse
from ui.tables import TABLES, Choice, Table, declare
from ui.templatetags.tables import table_rows

SignIn = Callable[[User], Client]
URLS = {
    "machines": "/vms/",
    "nodes": "/nodes/",
    "templates": "/templates/",
    "teams": "/teams/",
    "members": "/teams/ops/",
    "quotas": "/clusters/prod/quotas/",
    "requests": "/requests/",
    "clusters": "/clusters/",
    "jobs": "/jobs/",
    "journal": "/journal/",
    "batches": "/batches/",
    "reconciliation": "/reconciliation/",
    "people": "/people/",
}


@pytest.fixture
def site(kept_site: Site, db: None) -> Site:
    return deepcopy(kept_site)


@pytest.fixture(autouse=True)
def team(site: Site) -> None:
    """Whose members are listed."""
    team = make_team("ops", [site.alice])
    grant(["admin"], site.alice, team)


def fill(site: Site, words: str = "plain", ours: str = "third") -> None:
    """One more of everything, with `words` wherever somebody else chooses them, and `ours` where we do."""
    cluster = make_cluster(ours, name=words, description=words, master=words, host=words, software_version=words)
    node = make_node(cluster, words, primary_ip=words[:45], tags=[words], ctime=1_700_000_000.5)
    make_template(f"another {ours}")
    ops = make_team(words[:150], [site.alice])
    make_vm(site.prod, owner=persona_of(ops))
    umar = make_user(f"umar-{ours}", find_group("ops") or ops, first_name=words[:150], last_name=words[:150])
    make_template(words[:100], cluster, description=words[:255], os=words)
    nics = [{"mac": words, "ip": words}]
    vm = make_vm(cluster, words, primary_node=node, secondary_node=node, os=words, tags=[words], nics=nics, uuid="")
    make_vm(cluster, f"{words}!", tags=[words])  # whose nobody is
    locks = [{"lock": words, "mode": "shared", "holders": []}]
    make_job(cluster, ("instance", words), title=words, error=words, status="waiting", waiting_for=locks)
    begin(
        actor_id=None,
        actor_name=words,
        persona_name=words,
        via=Via.WEB,
        verb="verb-of-another-release",
        target=Target("vm", vm.pk, words, words),
        params={},
        outcome=Outcome.FAILED,
        message=words,
        changes=[Change("x", words, words, words)],
    )
    note(actor_id=site.admin.pk, actor_name="root", via=Via.CLI, verb="person.sign-in", outcome=Outcome.DONE)
    make_request(site.alice, cluster, kind="machine", name=words[:255], reason=words)
    make_request(umar, site.prod)
    batch = make_batch(site.admin, operation=words[:40], via="web")
    BatchItem.objects.create(batch=batch, position=1, kind="vm", target_pk=1, target_name=words, verdict="denied")
    batch = make_batch(site.admin)
    BatchItem.objects.create(batch=batch, position=1, kind="vm", target_pk=1, target_name="x", verdict="will")


def rows_of(client: Client, name: str, query: str) -> list[dict[str, Any]]:
    """The rows of the list as its file has them."""
    answer = client.get(f"{URLS[name]}?format=json&{query}")
    rows: list[dict[str, Any]] = answer.json()[name]
    return rows


def test_all_lists_are_tried() -> None:
    assert set(TABLES) == set(URLS)
    assert sum(len(table.columns) for table in TABLES.values()) > 60


def count_queries(client: Client, url: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert client.get(url).status_code == 200
    return len(captured)


@pytest.mark.long
@pytest.mark.alike
@pytest.mark.feature("G051")
@pytest.mark.parametrize("name", TABLES)
def test_every_column_can_be_shown_by_itself(site: Site, sign_in: SignIn, name: str) -> None:
    """Without a query for each row: whatever its cell reads was declared."""
    fill(site)
    client, table, few = sign_in(site.admin), TABLES[name], {}
    for column in table.columns:
        url = f"{URLS[name]}?columns={column.name}"
        page = client.get(url)
        shown = [each for each in table.columns if each.is_fixed or each == column]
        assert list(page.context["shown"].columns) == shown
        text = unescape(page.content.decode())
        head = text[text.index("<thead>") : text.index("</thead>")]
        assert [str(each.label) for each in shown if str(each.label) not in head] == []
        rows = list(page.context["page"].object_list)
        assert len(rows) > 0
        with CaptureQueriesContext(connection) as captured:
            cells = [[str(each.cell(row, page.context)) for each in shown] for row in rows]
        assert [query["sql"] for query in captured] == [], column.name
        assert all(cell for row in cells for cell in row), column.name
        few[f"{url}&format=json"] = count_queries(client, f"{url}&format=json")
    site.edge.pk, site.edge.slug = None, "fourth"
    site.edge.save()
    make_vm(site.edge)
    assert {url: count_queries(client, url) for url in few} == few


@pytest.mark.long
@pytest.mark.feature("G051")
@pytest.mark.parametrize("name", TABLES)
def test_every_column_puts_rows_in_order_and_back(site: Site, sign_in: SignIn, name: str) -> None:
    fill(site, "alpha")
    client = sign_in(site.admin)
    for column in (each for each in TABLES[name].columns if each.sort):
        query = f"columns={column.name}&sort="
        upwards, downwards = (rows_of(client, name, f"{query}{turned}{column.name}") for turned in ("", "-"))
        assert len(upwards) > 1
        same = [json.dumps(row, sort_keys=True) for row in upwards]
        assert sorted(same) == sorted(json.dumps(row, sort_keys=True) for row in downwards), column.name
        for key in column.values if len(column.values) == 1 else ():
            for rows in (upwards, downwards[::-1]):
                known = [row[key] for row in rows if row[key] is not None]
                if column.name != "title":  # by what the page says, see clusters.disclosure
                    assert known == sorted(known), key


@pytest.mark.alike
@pytest.mark.feature("G051")
@pytest.mark.parametrize("name", some_in_fast(TABLES, 5))
@pytest.mark.parametrize("wanted", ["csv", "json"])
def test_a_file_has_the_columns_that_are_shown(site: Site, sign_in: SignIn, name: str, wanted: str) -> None:
    fill(site)
    client, table = sign_in(site.admin), TABLES[name]
    for columns in ((), (table.choosable[-1].name,), [each.name for each in table.choosable]):
        keep_choice(site.admin, name, Choice(tuple(columns)))
        shown = client.get(URLS[name]).context["shown"]
        answer = client.get(f"{URLS[name]}?format={wanted}")
        assert answer["Content-Disposition"] == f'attachment; filename="{name}.{wanted}"'
        text = answer.content.decode()
        rows = json.loads(text)[name] if wanted == "json" else list(csv.DictReader(StringIO(text, newline="")))
        assert len(rows) > 0
        assert {tuple(row) for row in rows} == {tuple(shown.values)}


FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
HOSTILE = [f"{begins}cmd|' /C calc'!A0" for begins in FORMULAS]
HOSTILE += ['"=1+1"', 'a,"b";\'c', "<script>alert(1)</script>"]


@pytest.mark.alike
@pytest.mark.long
@pytest.mark.feature("G051")
def test_no_cell_of_any_list_is_a_formula_or_markup(site: Site, sign_in: SignIn) -> None:
    for number, words in enumerate(HOSTILE):
        fill(site, words, f"c{number}")
    client = sign_in(site.admin)
    for name, url in URLS.items():
        text = client.get(f"{url}?format=csv&columns=all").content.decode()
        lines = list(csv.reader(StringIO(text, newline="")))
        assert {len(line) for line in lines} == {len(lines[0])}, name
        cells = [cell for line in lines for cell in line]
        assert [cell for cell in cells if cell.startswith(FORMULAS)] == []
        assert [words for words in HOSTILE if not any(words in cell for cell in cells)] == [], name
        page = client.get(f"{url}?columns=all&per_page=200").content.decode()
        assert "&lt;script&gt;alert" in page and "<script>alert" not in page, name


def menu_of(client: Client, name: str) -> tuple[list[str], str]:
    """The names of the columns that are ticked in the menu of a list, and the rows on a page."""
    shown = client.get(URLS[name]).context["shown"]
    return [column.name for column, is_shown in shown.choices if is_shown], str(shown.per_page)


@pytest.mark.long
@pytest.mark.feature("G051")
@pytest.mark.parametrize("name", few_on_both(TABLES, "machines"))
def test_what_one_chooses_is_kept_for_oneself_and_can_be_undone(site: Site, sign_in: SignIn, name: str) -> None:
    fill(site)
    client, table = sign_in(site.admin), TABLES[name]
    before = menu_of(client, name)
    chosen = [table.choosable[0].name, table.choosable[-1].name]
    page = client.get(f"{URLS[name]}?sort={table.order}&page=1&per_page=5&columns=all").content.decode()
    assert 'action="/lists/"' in page
    given = {
        "list": name,
        "column": [*chosen, "of-an-older-release"],
        "per_page": "100",
        "next": f"{URLS[name]}?q=a&page=2&columns=all",
    }
    answer = client.post("/lists/", given)
    assert (answer.status_code, answer["Location"]) == (302, f"{URLS[name]}?q=a")
    assert menu_of(client, name) == (chosen, "100")
    assert menu_of(sign_in(site.admin), name) == (chosen, "100")
    assert not choice_of(User.objects.get(pk=site.alice.pk), name).as_data()
    client.post("/lists/", {"list": name, "reset": "1", "column": chosen})
    assert menu_of(client, name) == before
    assert User.objects.get(pk=site.admin.pk).list_choices is None


def test_what_is_as_declared_goes_on_as_declared(site: Site, sign_in: SignIn) -> None:
    client = sign_in(site.admin)
    declared, _size = menu_of(client, "machines")
    client.post("/lists/", {"list": "machines", "column": declared, "per_page": "200"})
    assert User.objects.get(pk=site.admin.pk).list_choices == {"machines": {"per_page": 200}}


@pytest.mark.alike
@pytest.mark.parametrize(
    "kept",
    [
        {"machines": {"columns": ["gone", "uuid"], "per_page": 7}},
        {"machines": {"columns": ["uuid", None, 3], "per_page": "many"}, "gone": {}},
    ],
)
def test_what_another_release_kept_and_means_nothing_is_ignored(site: Site, sign_in: SignIn, kept: Any) -> None:
    User.objects.filter(pk=site.admin.pk).update(list_choices=kept)
    assert menu_of(sign_in(site.admin), "machines") == (["uuid"], "50")


@pytest.mark.alike
@pytest.mark.parametrize("kept", [[], "columns", {"machines": 3}, {"machines": {"columns": "uuid"}}, {"machines": []}])
def test_what_cannot_be_read_is_no_choice(site: Site, sign_in: SignIn, kept: Any) -> None:
    client = sign_in(site.admin)
    before = menu_of(client, "machines")
    User.objects.filter(pk=site.admin.pk).update(list_choices=kept)
    assert menu_of(client, "machines") == before


@pytest.mark.alike
@pytest.mark.parametrize(
    ("there", "back"),
    [
        ("https://elsewhere.example/", "/"),
        ("//elsewhere.example/", "/"),
        ("", "/"),
        ("/clusters/prod/vms/?q=a&per_page=5", "/clusters/prod/vms/?q=a"),
    ],
)
def test_one_comes_back_to_a_page_of_ours(site: Site, sign_in: SignIn, there: str, back: str) -> None:
    for form in ({"list": "machines"}, {"list": "nothing"}):
        assert sign_in(site.admin).post("/lists/", {**form, "next": there})["Location"] == back


def test_a_list_tells_what_can_be_asked_for_and_what_was_not_understood(site: Site, sign_in: SignIn) -> None:
    fill(site)
    client = sign_in(site.admin)
    for name, url in URLS.items():
        language = TABLES[name].language
        page = unescape(client.get(url).content.decode())
        assert [key.sample for _key, key in language.help() if f"<code>{key.sample}</code>" not in page] == [], name
        page = unescape(client.get(url, {"q": "-nonsense:x"}).content.decode())
        assert "There is no filter “nonsense:”, so it was searched as text. Filters are " in page, name
        for key in language.keys:
            assert f"{key}:" in page


@pytest.mark.long
@pytest.mark.feature("G051")
@pytest.mark.parametrize("name", TABLES)
def test_every_sample_of_the_help_can_be_asked_for(site: Site, sign_in: SignIn, name: str) -> None:
    """Typed, negated, and as a parameter of the URL: together sample and negation are all there is."""
    fill(site)
    client = sign_in(site.admin)

    def ask(**asked: str) -> int:
        answer = client.get(URLS[name], asked)
        assert answer.context["wanted"].complaint == "", asked
        return int(answer.context["page"].paginator.count)

    every = ask()
    for sample in (key.sample for _name, key in TABLES[name].language.help()):
        with_it = ask(q=sample)
        assert with_it + ask(q=f"-{sample}") == every, sample
        key, _, value = sample.partition(":")
        if value:
            assert ask(**{key: value.strip('"')}) == with_it, sample


ODD_TEXTS = ("9" * 1900, "²", "%", "_", "\\", "'", "(", "\x01")
EDGES = (
    *("9999-12-31", "9999-12-31T23:30-05:00", "0001-01-01", "0001-01-01T00:00+05:00", "2026-02-30", "24:00"),
    *("9" * 30, "-" + "9" * 30, "9" * 300 + "T", "1e999", "nan", "٣", *ODD_TEXTS),
)


@pytest.mark.long
@pytest.mark.feature("G051")
@pytest.mark.parametrize("name", sorted(TABLES))
def test_nothing_that_is_asked_of_a_list_breaks_it(site: Site, sign_in: SignIn, name: str) -> None:
    """Each key compared with what lies at the edge of dates and numbers, or of texts where it takes any text."""
    client, language = sign_in(site.admin), TABLES[name].language
    unreadable: dict[str, str] = {}
    for key in ["", *language.keys]:
        takes_texts = key and not language.read(parse(f"{key}:nonsense")).problem
        edges = ODD_TEXTS if takes_texts else EDGES
        for operator, edge in product((":", "<", ">=") if key else ("",), edges):
            text = f"{key}{operator}{edge}"[:LONGEST]
            if problem := language.read(parse(text)).problem:
                unreadable[problem.rpartition(":")[2]] = text
            else:
                assert client.get(URLS[name], {"q": text}).status_code == 200, text
    # What cannot be read never becomes a query: of each reason one is enough.
    for text in unreadable.values():
        page = client.get(URLS[name], {"q": text})
        assert (page.status_code, page.context["page"].paginator.count) == (200, 0), text


def test_lists_have_names_of_their_own() -> None:
    with pytest.raises(ValueError, match="two lists of machines"):
        declare(TABLES["machines"])


def test_a_cell_is_escaped_unless_it_is_markup_of_ours(site: Site) -> None:
    column = Column(name="x", label=gettext_lazy("X"), cell=lambda row, _context: row.name, values={})
    table = Table("x", "X", (column,), "x", TABLES["machines"].language, "vm")
    site.web.name = "<b>"
    drawn = table_rows(Context({}), table.plain(), [site.web])
    assert drawn == f'<tr id="vm-{site.web.pk}"><td data-label="X">&lt;b&gt;</td></tr>\n'
