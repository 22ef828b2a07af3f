"""The index of machines' texts finds what reading all of them finds, whatever is asked and whatever was written."""

from __future__ import annotations

import logging
import re
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Q
from django.test.utils import CaptureQueriesContext
from django.utils.datastructures import MultiValueDict
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clusters.models import Cluster
from operations.triggers import install_triggers, remove_triggers
from permissions.models import User
from permissions.services import grant, persona_of
from tests.factories import make_admin, make_cluster, make_user, make_vm
from tests.fixtures.migrating import migrate, migrate_all
from tests.pages.conftest import Site
from tests.pages.test_lists import SignIn, names
from ui.filtering import Wanted, parse
from ui.paging import FEW, Pages
from virtualmachines.filters import MACHINES
from virtualmachines.models import MachineText, VirtualMachine
from virtualmachines.search import PARTS, TEXTS, Says, drop_index, make_index
from virtualmachines.selectors import count_by_group, filter_vms, list_vms

LETTERS = st.text(st.sampled_from("abAB.-:%_\"'\\*()^ ßéİΣ漢😀"), max_size=12)
SHARED = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None
)


@pytest.fixture
def cluster(db: None) -> Cluster:
    return make_cluster("lab")


@pytest.fixture
def people(cluster: Cluster) -> tuple[User, User]:
    """One who may see everything, and one who may see what is granted."""
    return make_admin("root"), make_user("alice")


def bulk(cluster: Cluster, texts: list[str]) -> list[VirtualMachine]:
    return VirtualMachine.objects.bulk_create(
        VirtualMachine(cluster=cluster, name=f"N{number}", uuid=f"u{number}", os="Os", search_text=text.lower())
        for number, text in enumerate(texts)
    )


def text_of(vm: VirtualMachine) -> str:
    return vm.search_text or f"{vm.name} {vm.os}".lower()


def said(user: User, condition: Any) -> set[int]:
    return set(list_vms(user).filter(condition).values_list("pk", flat=True))


@pytest.mark.feature("G052")
@SHARED
@given(
    data=st.data(),
    texts=st.lists(LETTERS, min_size=1, max_size=12),
    much=st.sampled_from([(0, 0), (1, 1), (20_000, 0), (20_000, 1), (20_000, 1_000)]),
)
def test_the_index_finds_what_reading_all_texts_finds(
    people: tuple[User, User], cluster: Cluster, data: st.DataObject, texts: list[str], much: tuple[int, int]
) -> None:
    some = st.sampled_from(texts).flatmap(
        lambda text: st.tuples(st.integers(0, len(text)), st.integers(0, len(text))).map(
            lambda ends: text[min(ends) : max(ends)]
        )
    )
    words = data.draw(
        st.lists(LETTERS | some, min_size=1, max_size=3).map(lambda all_: [word for word in all_ if word])
    )
    shown = data.draw(st.sets(st.integers(0, len(texts) - 1)))
    with transaction.atomic():
        vms = bulk(cluster, texts)
        admin, alice = people
        for number in shown:
            grant(["power"], alice, vms[number])
        seen = {admin: vms, alice: [vms[number] for number in shown]}
        for user, theirs in seen.items():
            for word in words:
                found = {vm.pk for vm in theirs if word.lower() in text_of(vm)}
                assert said(user, Q(Says(word, *much))) == found
                assert said(user, ~Q(Says(word, *much))) == {vm.pk for vm in theirs} - found
            either, both = Q(), Q()
            for word in words:
                either, both = either | Q(Says(word, *much)), both & Q(Says(word, *much))
            if words:
                assert said(user, both) == {vm.pk for vm in theirs if all(w.lower() in text_of(vm) for w in words)}
                assert said(user, either) == {vm.pk for vm in theirs if any(w.lower() in text_of(vm) for w in words)}
        transaction.set_rollback(True)


def write(action: str, number: int, text: str) -> None:
    """One of all the ways in which rows are written."""
    vm: Any = list(VirtualMachine.objects.order_by("pk"))[number % VirtualMachine.objects.count()]
    one = VirtualMachine.objects.filter(pk=vm.pk)
    if action == "save":
        vm.search_text = text
        vm.save()
    elif action == "update":
        one.update(search_text=text)
    elif action == "bulk_update":
        vm.search_text, vm.name = text, "other"
        VirtualMachine.objects.bulk_update([vm], ["search_text", "name"])
    elif action == "rename":
        one.update(name=f"n{text}", search_text="")
    elif action == "delete":
        vm.delete()
    elif action == "delete all of them":
        one.delete()
    elif action == "bulk_create":
        copy = VirtualMachine(cluster_id=vm.cluster_id, name="new", uuid=f"v{number}", search_text=text)
        VirtualMachine.objects.bulk_create([copy])
    elif action == "roll back":
        with transaction.atomic():
            one.update(search_text=text)
            VirtualMachine.objects.exclude(pk=vm.pk).delete()
            transaction.set_rollback(True)


ACTIONS = (
    *("save", "update", "bulk_update", "rename", "delete", "delete all of them", "bulk_create", "roll back"),
    *("triggers made anew", "written without triggers"),
)
WRITES = st.lists(
    st.tuples(st.sampled_from(ACTIONS), st.integers(0, 9), st.sampled_from(["", "abcd", "abce", "bcd ef", 'x"y'])),
    max_size=8,
)


@pytest.mark.long
@SHARED
@given(writes=WRITES)
def test_no_writer_can_pass_by_the_index(cluster: Cluster, writes: list[tuple[str, int, str]]) -> None:
    with transaction.atomic():
        bulk(cluster, ["abcd", "abce x", "", "zzz", "zzz"])
        make_vm(cluster, "kept")
        for action, number, text in writes:
            if VirtualMachine.objects.count() < 2:
                break
            if action == "triggers made anew":
                install_triggers(connection)
            elif action == "written without triggers":
                remove_triggers(connection)
                write("update", number, text)
                write("delete", number + 1, text)
                install_triggers(connection)
            else:
                write(action, number, text)
        rows = list(VirtualMachine.objects.all())
        assert dict(MachineText.objects.values_list("pk", "text")) == {vm.pk: text_of(vm) for vm in rows}
        for word in ("abc", "bcd", 'x"y', "zzz", "n", "ab", "new", "kept"):
            found = set(VirtualMachine.objects.filter(Says(word)).values_list("pk", flat=True))
            assert found == {vm.pk for vm in rows if word in text_of(vm)}
        transaction.set_rollback(True)


HOSTILE = (
    *('"', '""', '"""', "'", "''", "`", "\\", "\\\\", "%", "_", "%%%", "___", "*", "a*", "^abc", "-", "--", "(", "{a}"),
    *(
        '"a" OR b*',
        "NEAR(abc def)",
        "text:abc",
        "abc AND NOT def",
        "abc OR",
        "+abc",
        "); DROP TABLE x; --",
        "%s",
        "%(a)s",
    ),
    *("a" * 65536, "'" * 65536, '"' * 65536, "%" * 65536, "漢" * 300, "\u202e", "\ufeff", "😀😀😀", "aA" * 150),
)


@pytest.mark.long
@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_whatever_is_typed_is_plain_text(site: Site, sign_in: SignIn, text: str) -> None:
    assert not VirtualMachine.objects.filter(Says(text)).exists()
    VirtualMachine.objects.filter(pk=site.db.pk).update(search_text=f"before{text.lower()}after")
    assert list(VirtualMachine.objects.filter(Says(text))) == [site.db]
    assert site.db not in VirtualMachine.objects.filter(~Q(Says(text)))
    client = sign_in(site.admin)
    for key in ("q", "tag", "owner", "node", "os"):
        assert client.get("/vms/", {key: text[:3000]}).status_code == 200
    if len(text) < 200:
        assert names(client, f"tag={client.get('/', {'x': text}).request['QUERY_STRING'][2:]}") == ["prod/db1"]


@pytest.mark.parametrize("text", ["\0", "web\0", "\ud800web"])
def test_what_no_text_can_have_is_found_nowhere(site: Site, sign_in: SignIn, text: str) -> None:
    assert not VirtualMachine.objects.filter(Says(text)).exists()
    assert VirtualMachine.objects.filter(~Q(Says(text))).count() == 3
    assert sign_in(site.admin).get("/vms/?q=web%00").status_code == 400


def plan_of(condition: Any) -> str:
    return VirtualMachine.objects.filter(condition).explain()


def test_the_index_is_read(cluster: Cluster) -> None:
    bulk(cluster, ["abcd", "abce"])
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
        # By itself: of so few machines PostgreSQL rather goes through the keys.
        assert f"Bitmap Index Scan on {PARTS}" in MachineText.objects.filter(text__contains="abc").explain()
    else:
        assert "VIRTUAL TABLE INDEX" in plan_of(Says("abc", few=1))
        assert "VIRTUAL TABLE INDEX" not in plan_of(Says("ab"))
        few = Says("abc")
        with CaptureQueriesContext(connection) as statements:
            plans = [plan_of(few), plan_of(few)]
        assert not any("SCAN" in plan for plan in plans), plans
        assert sum("MATCH" in each["sql"] for each in statements) == 1


@pytest.mark.parametrize("word", ["n", "lab"])
def test_whoever_sees_few_machines_has_these_alone_looked_at(
    people: tuple[User, User], cluster: Cluster, word: str
) -> None:
    _admin, alice = people
    grant(["power"], alice, make_vm(cluster))
    sql = str(list_vms(alice).filter(Says(word)).query)
    assert "EXISTS (SELECT 1 FROM " in sql
    assert f"FROM {TEXTS} WHERE" not in sql and PARTS not in sql


@pytest.mark.parametrize(
    ("query", "total", "is_found_first"),
    [
        ("abc", FEW, True),
        ("abc status:running", FEW, True),
        ("-tag:abc vcpus<9", FEW, True),
        # So many come by soon, and of one cluster few are looked at.
        ("abc", FEW + 1, False),
        ("abc cluster:lab", FEW, False),
        ("vcpus<9", FEW, False),
    ],
)
def test_few_with_a_word_are_found_before_they_are_sorted(
    cluster: Cluster, query: str, total: int, is_found_first: bool
) -> None:
    """PostgreSQL may not stop after a page: it would go past all machines for the last few of them."""
    bulk(cluster, [f"abcd {number}" for number in range(5)])
    VirtualMachine.objects.update(status="running")
    rows = VirtualMachine.objects.filter(MACHINES.read(parse(query)).condition).order_by("name", "pk")
    page = Pages(rows, 2, total, keys_first=True).page(2)
    assert list(page.object_list) == list(rows[2:4])
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_sort = off")  # rather go along the order
        # PostgreSQL 17 writes (InitPlan 1).col1 where those before it write $0
        found_first = re.search(r"\(id = ANY \((\$|\(InitPlan )", page.object_list.explain())
        assert (found_first is not None) == is_found_first


def test_postgresql_plans_for_the_word_that_is_looked_for(cluster: Cluster) -> None:
    """A plan made for any word takes each for a rare one, so it is part of the statement; nothing in it is a mark."""
    found = bulk(cluster, ["it's 100% %s", "its 100"])[:1]
    rows = VirtualMachine.objects.filter(Says("it's 100% %s"))
    assert list(rows) == found
    if connection.vendor == "postgresql":
        sql, params = rows.query.sql_with_params()
        assert ("it''s" in sql, params) == (True, ())


@pytest.mark.parametrize(
    ("asked", "deepest", "running", "found"),
    [
        (["running"], 9, 5, None),  # the number of the group tells it
        (["running"], 6, None, 5),
        (["running"], 4, None, 5),
        (["ADMIN_down"], 9, 5, 4),
        (["ADMIN_down"], 2, None, 3),
        (["running", "ADMIN_down"], 9, 5, 9),
        (["nothing"], 9, 5, 0),
        ([], 9, 5, 0),  # nothing can match, which no database is asked
    ],
)
def test_one_query_counts_the_groups_and_what_is_asked_for(
    site: Site, sign_in: SignIn, asked: list[str], deepest: int, running: int | None, found: int | None
) -> None:
    """What costs the most, to look for a word, is not done once more for the number of the page."""
    bulk(site.prod, [f"abcd {number}" for number in range(9)])
    VirtualMachine.objects.filter(search_text__lt="abcd 5").update(status="running")
    VirtualMachine.objects.filter(search_text__gte="abcd 5", name__startswith="N").update(status="ADMIN_down")
    vms = VirtualMachine.objects.filter(Says("abc"))
    client = sign_in(site.admin)
    url = f"/vms/?q=abc+{'+'.join(f'status:{state}' for state in asked)}"
    client.get(url)  # what is asked once in the life of a process
    with CaptureQueriesContext(connection) as statements:
        counts, number = count_by_group(
            vms, vms.filter(status__in=asked), is_group=asked == ["running"], deepest=deepest
        )
        assert (counts["running"], number) == (running, found)
        client.get(url)
    asked_first = sum("MATCH" in each["sql"] for each in statements)  # on SQLite, which machines have the word
    assert asked_first == (2 if connection.vendor == "sqlite" else 0)
    assert len(statements) <= asked_first + 1 + 8


def test_what_machines_belong_to_is_looked_up_once(people: tuple[User, User], cluster: Cluster) -> None:
    """PostgreSQL is told the keys: it took so many machines for an owner's that it read the texts of all."""
    _admin, alice = people
    owned, other = bulk(cluster, ["abcd", "abce"])
    VirtualMachine.objects.filter(pk=owned.pk).update(owner=persona_of(alice))
    expected: dict[str, set[int]] = {"owner:alice": {owned.pk}, "-owner:alice": {other.pk}, "owner:nobody": set()}
    for asked, found in expected.items():
        wanted = Wanted.parse(MACHINES, MultiValueDict({"q": [f"abc {asked}"]}))
        rows = filter_vms(VirtualMachine.objects.all(), wanted)
        with CaptureQueriesContext(connection) as statements:
            assert {vm.pk for vm in rows} == found
            assert filter_vms(VirtualMachine.objects.all(), wanted.without("status")).count() == len(found)
        assert len(statements) == 3, [each["sql"] for each in statements]


def test_without_the_right_to_have_an_index_texts_are_searched_and_it_is_said(
    cluster: Cluster, caplog: pytest.LogCaptureFixture
) -> None:
    [found, _other] = bulk(cluster, ["abcd", "xyz"])
    if connection.vendor == "postgresql":
        drop_index(connection)
        with connection.cursor() as cursor:
            cursor.execute("DROP EXTENSION pg_trgm CASCADE")  # with the index of the journal
            cursor.execute("CREATE ROLE gwm_plain; SET LOCAL ROLE gwm_plain")
        with caplog.at_level(logging.WARNING, "ui.trigrams"):
            make_index(connection)
        with connection.cursor() as cursor:
            cursor.execute("RESET ROLE")
        assert "permission denied" in caplog.text
        assert f"CREATE EXTENSION IF NOT EXISTS pg_trgm; CREATE INDEX {PARTS} ON {TEXTS} USING gin" in caplog.text
    assert list(VirtualMachine.objects.filter(Says("abc"))) == [found]


def test_a_database_without_triggers_reads_the_machines_themselves(cluster: Cluster) -> None:
    [found, _other, bare] = bulk(cluster, ["a%b_c", "axbxc", ""])
    compiler = VirtualMachine.objects.all().query.get_compiler(connection=connection)
    for word, expected in (("%B_", found), ("n2", bare)):
        condition = Says(word).resolve_expression(compiler.query)
        sql, params = condition.as_sql(compiler, connection)
        found_here = VirtualMachine.objects.extra(where=[sql], params=params)  # noqa: S610 - SQL of ours
        assert list(found_here) == [expected]


@pytest.mark.long
@pytest.mark.django_db(transaction=True)
def test_the_index_can_be_taken_back_and_made_anew() -> None:
    [vm] = bulk(make_cluster("lab"), ["abcd"])
    nodes = MigrationExecutor(connection).loader.graph.nodes
    migrate([each for each in nodes if each[0] == "virtualmachines" and "_0011" in f"_{each[1]}"])
    VirtualMachine.objects.filter(pk=vm.pk).update(search_text="bcde")
    migrate_all()
    assert list(VirtualMachine.objects.filter(Says("bcde"))) == [vm]
    assert not VirtualMachine.objects.filter(Says("abc")).exists()
