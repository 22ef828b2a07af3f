"""A directory of many people, which answers a few at a time: what it does not say of somebody is no word about them."""

import pytest
from allauth.socialaccount.models import SocialAccount
from django.db import connection
from django.test.utils import CaptureQueriesContext

from people.directory import checking, wire
from people.directory.accounts import connect, link_of
from people.directory.asking import Found, NoAnswer
from people.directory.checking import check
from permissions.models import User
from permissions.services import make_team
from tests.factories import make_user
from tests.people.ldap_here import demand_ldap

demand_ldap()

import ldap  # noqa: E402

from tests.people.directory import (  # noqa: E402
    PEOPLE,
    SUFFIX,
    is_in,
    running_tree,
    sign_in,
    tree,
    use,
)

__all__ = ["tree", "use"]
pytestmark = [
    pytest.mark.django_db,
    pytest.mark.beside,
    pytest.mark.feature("F006"),
    pytest.mark.program("slapd", "slapd ldap-utils"),
]
#: who may search, and how much they get; slapd's root has no limits
SERVICES = {
    "few": "size=5",
    "unpaged": "size.soft=5 size.hard=5 size.prtotal=disabled",
    "short-pages": "size.soft=5 size.hard=5 size.pr=3 size.prtotal=unlimited",
    "as-ad": "size.soft=1000 size.hard=1000 size.pr=1000 size.prtotal=unlimited",
}


@pytest.fixture(scope="module")
def running():
    limits = "\n".join(f'limits dn.exact="cn={name},{SUFFIX}" {size}' for name, size in SERVICES.items())
    with running_tree(within=limits) as running:
        yield running


def serve(tree, use, name, **more):
    """Have the directory asked by who gets so much."""
    return use(bind_dn=tree.service(name, "s"), bind_password="s", **more)


def connect_all(tree, there, many):
    """So many people, each with an account."""
    entries = {f"p{number}": tree.person(f"p{number}") for number in range(many)}
    rows = tree.link.search_s(PEOPLE, ldap.SCOPE_ONELEVEL, attrlist=["entryUUID", "uid"])
    for dn, values in rows:
        found = Found(dn, {"uid": values["uid"]}, values["entryUUID"][0].hex())
        connect(there, make_user(values["uid"][0].decode()), found)
    return entries


def inactive():
    return set(User.objects.filter(is_active=False).values_list("username", flat=True))


@pytest.mark.parametrize("name", SERVICES)
def test_a_limit_of_the_directory_is_no_word_about_people(tree, use, name):
    there = serve(tree, use, name)
    entries = connect_all(tree, there, 12)
    assert (check().asked, inactive()) == (12, set())
    for gone in ("p3", "p7"):
        tree.link.delete_s(entries[gone])
    assert (check().put_out, inactive()) == (2, {"p3", "p7"})


def test_a_check_that_finds_nothing_new_writes_nothing(tree, use):
    """It comes every few minutes, for all people."""
    make_team("web")
    there = use()
    entries = connect_all(tree, there, 4)
    use(teams={tree.group("web", *entries.values()): ("web",)})
    check()
    with CaptureQueriesContext(connection) as queries:
        assert check().asked == 4
    asked = [query["sql"] for query in queries if "gwm_cache" not in query["sql"]]
    assert not [sql for sql in asked if sql.startswith(("INSERT", "UPDATE", "DELETE"))]
    assert len(asked) <= 4 * 14


@pytest.mark.parametrize("name", SERVICES)
def test_who_signs_in_is_found_whatever_the_limits(tree, use, name):
    serve(tree, use, name)
    for number in range(12):
        tree.person(f"p{number}")
    assert is_in(sign_in("p11")) and is_in(sign_in("p11")) and not is_in(sign_in("p99"))


def test_more_groups_than_the_directory_tells_of_are_not_taken_for_none(tree, use):
    make_team("web")
    entry = tree.person("ann")
    groups = [tree.group(f"g{number}", entry) for number in range(12)]
    serve(tree, use, "as-ad", required_groups=(groups[11],), teams={groups[11]: ("web",)})
    assert is_in(sign_in("ann"))
    serve(tree, use, "few", required_groups=(groups[11],), teams={groups[11]: ("web",)})
    with pytest.raises(NoAnswer, match="limit"):
        check()
    assert not inactive() and User.objects.get().groups.count() == 1
    assert sign_in("ann").status_code == 502


def test_that_groups_can_not_be_read_any_more_is_not_taken_for_none(tree, use):
    make_team("web")
    group = tree.group("web", tree.person("ann"))
    there = use(teams={group: ("web",)})
    assert is_in(sign_in("ann"))
    tree.change(group, member=[PEOPLE])
    use(teams=there.teams, group_base=f"ou=moved,{SUFFIX}")
    with pytest.raises(NoAnswer, match="ou=moved"):
        check()
    assert User.objects.get().groups.count() == 1 and sign_in("ann").status_code == 502
    use(teams=there.teams)
    assert check().put_out == 0 and not User.objects.get().groups.exists()


def test_what_one_connection_may_bring_is_no_limit_of_how_many_there_are(tree, use, monkeypatch):
    there = serve(tree, use, "as-ad")
    entries = connect_all(tree, there, 40)
    monkeypatch.setattr(checking, "_AT_ONCE", 5)
    monkeypatch.setattr(wire, "MOST_BYTES", 3_000)
    for number in range(12):
        tree.link.delete_s(entries[f"p{number}"])
    seen = check()
    assert (seen.asked, seen.put_out, len(inactive())) == (40, 12, 12)
    assert check().put_out == 0


def test_many_entries_for_one_name_are_nobody(tree, use):
    serve(tree, use, "few", filter="(|(uid=%(user)s)(sn=%(user)s))")
    for number in range(12):
        tree.person(f"p{number}", sn="lee")
    answer = sign_in("lee")
    assert answer.status_code == 403 and "could not say who you are" in answer.content.decode()
    assert not SocialAccount.objects.exists() and link_of(make_user("lee")) is None
