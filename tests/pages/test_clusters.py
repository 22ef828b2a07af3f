"""Adding a cluster in steps, and changing it, without JavaScript."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.test import Client

from clusters.models import Cluster
from clusters.operations.cluster import EditCluster
from clusters.operations.probe import probe_cluster
from clusters.operations.wanted import ClusterSettings
from objectlog.models import Via
from operations.contract import Actor, Ask, Forbidden, Refusal
from operations.pipeline import run
from permissions.models import User
from permissions.services import grant
from rapi.trust import normalize_fingerprint
from simulator import Simulator
from tests.factories import deaf_port, make_admin, make_cluster, make_user

pytestmark = pytest.mark.django_db(transaction=True)
SignIn = Callable[[User], Client]
URL = "/clusters/add/"


@pytest.fixture
def admin(sign_in: SignIn) -> Client:
    """Signed in as an administrator."""
    return sign_in(make_admin())


def text_of(answer: Any) -> str:
    """The page."""
    return str(answer.content.decode())


def settings_of(simulator: Simulator, **changed: Any) -> dict[str, Any]:
    """Step 2, filled in well."""
    return {
        "step": "settings",
        "host": simulator.host,
        "port": simulator.port,
        "slug": "alpha",
        "username": simulator.username,
        "password": simulator.password,
        "tls_trust": "pin",
        "tls_fingerprint": normalize_fingerprint(simulator.fingerprint),
        **changed,
    }


@pytest.mark.feature("F045", "F051", "F066", "G005")
def test_three_steps(admin: Client, simulator: Simulator) -> None:
    assert admin.get(URL).context["step"] == 1
    answer = admin.post(URL, {"step": "address", "host": simulator.host, "port": simulator.port})
    assert answer.context["step"] == 2
    shown = text_of(answer)
    assert shown.count(normalize_fingerprint(simulator.fingerprint)) == 2  # to compare, and in the field
    assert "signed by itself" in shown
    answer = admin.post(URL, settings_of(simulator))
    assert answer.context["step"] == 3
    summary = text_of(answer)
    for text in (
        "The credentials work and may write",
        "<dt>Nodes</dt><dd>2</dd>",
        "<dt>Machines</dt><dd>3</dd>",
        "3.0.2",
    ):
        assert text in summary
    assert simulator.password not in summary
    assert not Cluster.objects.exists()
    answer = admin.post(URL, {"step": "add"})
    assert answer["Location"] == "/clusters/alpha/"
    cluster = Cluster.objects.get()
    assert (cluster.slug, cluster.password, cluster.username) == ("alpha", simulator.password, simulator.username)
    assert admin.post(URL, {"step": "add"})["Location"] == URL  # once is enough


@pytest.mark.feature("F088", "G005")
def test_errors_name_field_and_remedy_and_keep_what_was_typed(admin: Client, simulator: Simulator) -> None:
    for host, port, words in (
        ("https://ganeti/", "5080", "Leave out https://"),
        ("", "5080", "Type the name or address"),
        ("ganeti", "many", "The port is a number"),
        ("127.0.0.1", str(deaf_port()), "Nothing listens there"),
    ):
        page = text_of(admin.post(URL, {"step": "address", "host": host, "port": port}))
        assert words in page
        assert f'value="{port}"' in page
    for changed, status, words in (
        ({"slug": "Not So"}, 422, "Lower-case letters"),
        ({"slug": "add"}, 422, "part of the URLs"),
        ({"tls_fingerprint": "12:34"}, 422, "64 hexadecimal digits"),
        ({"tls_fingerprint": "00" * 32}, 422, "Compare the fingerprints"),
        ({"tls_trust": "ca", "tls_ca_pem": "no"}, 422, "Paste the authority"),
        ({"tls_trust": "system"}, 422, "another way to trust"),
        ({"password": "wrong-secret"}, 422, "Check user and password"),
    ):
        answer = admin.post(URL, settings_of(simulator, **changed))
        page = text_of(answer)
        assert (answer.status_code, words in page) == (status, True), changed
        assert 'value="gwm"' in page
        assert "wrong-secret" not in page
        assert answer.context["step"] == 2
    assert not Cluster.objects.exists()


def test_password_is_kept_between_tries_but_goes_to_no_other_address(admin: Client, simulator: Simulator) -> None:
    admin.post(URL, settings_of(simulator, slug="Not So"))
    assert admin.post(URL, settings_of(simulator, password="")).context["step"] == 3
    elsewhere = admin.post(URL, settings_of(simulator, password="", host="localhost"))
    assert "Type the password" in text_of(elsewhere)
    another = admin.post(URL, settings_of(simulator, password="", username="viewer"))
    assert "Type the password" in text_of(another)
    for value in admin.session.values():
        assert simulator.password not in str(value)


@pytest.mark.feature("F046")
def test_user_that_may_only_read_is_told(admin: Client, simulator: Simulator) -> None:
    given = settings_of(simulator, username=simulator.viewer_username, password=simulator.viewer_password)
    assert "may read but not write" in text_of(admin.post(URL, given))


@pytest.mark.feature("F051")
def test_cluster_that_is_away_is_taken_if_one_says_so(admin: Client, simulator: Simulator) -> None:
    port = deaf_port()
    page = text_of(admin.post(URL, {"step": "address", "host": "127.0.0.1", "port": port}))
    assert "Add anyway" in page
    answer = admin.post(URL, {"step": "address", "host": "127.0.0.1", "port": port, "anyway": "1"})
    assert answer.context["step"] == 2
    page = text_of(admin.post(URL, settings_of(simulator, port=port)))
    assert "Add anyway" in page
    assert admin.post(URL, {"step": "add"}).status_code == 302
    assert Cluster.objects.get().port == port


def test_only_administrators_add(sign_in: SignIn, simulator: Simulator) -> None:
    client = sign_in(make_user("alice"))
    assert client.get(URL).status_code == 403
    for given in ({"step": "address", "host": simulator.host, "port": simulator.port}, settings_of(simulator)):
        assert client.post(URL, given).status_code == 403
    assert client.post(URL, {"step": "add"}).status_code == 403
    assert simulator.count() == 0


def test_short_name_that_is_taken(admin: Client, simulator: Simulator) -> None:
    make_cluster("alpha")
    answer = admin.post(URL, settings_of(simulator))
    assert answer.status_code == 409
    assert "called “alpha” already" in text_of(answer)


EDIT = "/clusters/alpha/edit/"


@pytest.fixture
def known(simulator: Simulator) -> Cluster:
    """The simulator's cluster, as it was added."""
    return make_cluster(
        "alpha",
        host=simulator.host,
        port=simulator.port,
        username=simulator.username,
        password=simulator.password,
        tls_fingerprint=normalize_fingerprint(simulator.fingerprint),
        uuid=simulator.cluster.uuid,
        vnc_password="vnc",
    )


def form_of(cluster: Cluster, **changed: Any) -> dict[str, Any]:
    """The form as the page shows it, with changes."""
    names = ("slug", "host", "port", "username", "tls_trust", "tls_fingerprint", "tls_ca_pem", "description")
    return {name: getattr(cluster, name) for name in names} | changed


def as_in_database(cluster: Cluster) -> dict[str, Any]:
    """The row, to be compared."""
    found = Cluster.objects.filter(pk=cluster.pk).values("slug", "host", "port", "username", "tls_fingerprint").get()
    return {**found, "password": Cluster.objects.get(pk=cluster.pk).password}


@pytest.mark.feature("F049", "F050", "F052")
def test_edit_keeps_the_password_for_what_sends_it_nowhere_else(admin: Client, known: Cluster) -> None:
    password = known.password
    assert password not in text_of(admin.get(EDIT))
    answer = admin.post(EDIT, form_of(known, slug="beta", description="New"))
    assert answer["Location"] == "/clusters/beta/"
    known.refresh_from_db()
    assert (known.slug, known.description) == ("beta", "New")
    assert (known.password, known.vnc_password) == (password, "vnc")
    answer = admin.post("/clusters/beta/edit/", form_of(known, username=""))
    assert set(answer.context["form"].errors) == {"username"}, "this cluster wants to know who reads"


OTHER_FINGERPRINT = ":".join(["AB"] * 32)


@pytest.mark.parametrize(
    "changed",
    [
        {"username": "other"},
        {"host": "192.0.2.9"},
        {"port": 5081},
        {"tls_fingerprint": OTHER_FINGERPRINT},
        {"tls_trust": "system"},
    ],
)
def test_what_decides_where_the_password_goes_wants_it_typed(
    admin: Client, known: Cluster, simulator: Simulator, changed: dict[str, Any]
) -> None:
    before = as_in_database(known)
    answer = admin.post(EDIT, form_of(known, **changed))
    assert answer.status_code == 422
    errors = answer.context["form"].errors
    assert "not sent to where it did not go before" in str(errors["password"])
    assert ("vnc_password" in errors) == (changed != {"username": "other"})
    assert as_in_database(known) == before
    assert simulator.requests == []


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"password": "wrong"}, "password"),
        ({"tls_fingerprint": OTHER_FINGERPRINT, "password": "typed", "vnc_password": "typed"}, "tls_fingerprint"),
        ({"tls_trust": "system", "password": "typed", "vnc_password": "typed"}, "tls_trust"),
    ],
)
def test_edit_tries_before_it_saves(admin: Client, known: Cluster, changed: dict[str, Any], field: str) -> None:
    before = as_in_database(known)
    answer = admin.post(EDIT, form_of(known, description="typed", **changed))
    assert answer.status_code == 422
    assert set(answer.context["form"].errors) == {field}
    shown = text_of(answer)
    assert "Save anyway" not in shown
    assert 'value="typed"' in shown, "the description stays"
    assert "The password you typed is kept" in shown
    assert as_in_database(known) == before
    assert admin.post(EDIT, {"anyway": "1"})["Location"] == EDIT
    assert as_in_database(known) == before, "nor by sending what the page does not offer"


def test_edit_of_a_cluster_that_does_not_answer_can_be_saved_anyway(admin: Client, known: Cluster) -> None:
    port, before = deaf_port(), as_in_database(known)
    answer = admin.post(EDIT, form_of(known, port=port, password="new-secret", forget_vnc_password="on"))
    assert answer.status_code == 422
    assert set(answer.context["form"].errors) == {"host"}
    assert "Save anyway" in text_of(answer) and "new-secret" not in text_of(answer)
    assert as_in_database(known) == before
    assert admin.post(EDIT, {"anyway": "1"})["Location"] == "/clusters/alpha/"
    assert as_in_database(known) == {**before, "port": port, "password": "new-secret"}
    assert admin.post(EDIT, {"anyway": "1"})["Location"] == EDIT, "once; then there is nothing left to save"


def test_a_password_typed_beside_a_wrong_fingerprint_need_not_be_typed_again(
    admin: Client, known: Cluster, simulator: Simulator
) -> None:
    Cluster.objects.update(password="outdated", vnc_password="", tls_fingerprint=OTHER_FINGERPRINT)
    known.refresh_from_db()
    assert admin.post(EDIT, form_of(known, password=simulator.password)).status_code == 422
    fingerprint = normalize_fingerprint(simulator.fingerprint)
    corrected = form_of(known, tls_fingerprint=fingerprint)
    opened_anew = admin.post(EDIT, corrected)
    assert set(opened_anew.context["form"].errors) == {"password"}, "only the page that says so uses what it kept"
    assert admin.post(EDIT, {**corrected, "kept": "1"})["Location"] == "/clusters/alpha/"
    found = as_in_database(known)
    assert (found["password"], found["tls_fingerprint"]) == (simulator.password, fingerprint)


def test_changes_are_shown_before_they_are_saved(admin: Client, known: Cluster, simulator: Simulator) -> None:
    before = as_in_database(known)
    typed = {"description": "New", "password": simulator.password, "vnc_password": "typed"}
    answer = admin.post(EDIT, form_of(known, preview="1", **typed))
    shown = text_of(answer)
    assert (answer.status_code, as_in_database(known), simulator.requests) == (200, before, [])
    assert {("password", "", "changed"), ("VNC password", "", "changed")} < set(answer.context["changes"])
    assert "<dt>description</dt>" in shown and simulator.password not in shown
    assert "Nothing would change." in text_of(admin.post(EDIT, form_of(known, preview="1")))
    admin.post(EDIT, form_of(known, preview="1", **typed))
    assert admin.post(EDIT, form_of(known, description="New", kept="1"))["Location"] == "/clusters/alpha/"
    known.refresh_from_db()
    assert (known.description, known.vnc_password) == ("New", "typed"), "passwords are typed once"
    assert "Save anyway" not in text_of(admin.post(EDIT, form_of(known, preview="1", port=deaf_port(), **typed)))


def test_edit_does_not_turn_a_cluster_into_another(admin: Client, known: Cluster, make_simulator: Any) -> None:
    other = make_simulator(nodes=1, instances=0)
    fingerprint = normalize_fingerprint(other.fingerprint)
    changed = {"port": other.port, "tls_fingerprint": fingerprint, "password": other.password, "vnc_password": "vnc"}
    answer = admin.post(EDIT, form_of(known, **changed))
    assert answer.status_code == 422
    assert "Another cluster answers" in str(answer.context["form"].errors["host"])
    assert "Save anyway" not in text_of(answer)


def test_who_may_edit(sign_in: SignIn) -> None:
    cluster, manager, creator = make_cluster("alpha"), make_user("manager"), make_user("creator")
    grant(["admin"], manager, cluster)
    grant(["create_vm"], creator, cluster)
    page = sign_in(manager).get("/clusters/alpha/edit/")
    assert page.status_code == 200
    assert "Only administrators may change address and trust." in text_of(page)
    answer = sign_in(creator).get("/clusters/alpha/edit/")
    assert answer.status_code == 403
    refusal = "You may not change the settings of this cluster (needs admin)."
    assert refusal in text_of(answer)
    assert refusal in text_of(sign_in(creator).get("/clusters/alpha/"))


@pytest.mark.parametrize("changed", [{"host": "192.0.2.9"}, {"port": 22}, {"tls_fingerprint": OTHER_FINGERPRINT}])
def test_who_administers_one_cluster_points_it_nowhere_else(
    sign_in: SignIn, known: Cluster, simulator: Simulator, changed: dict[str, Any]
) -> None:
    manager = make_user("manager")
    grant(["admin"], manager, known)
    before = as_in_database(known)
    answer = sign_in(manager).post(EDIT, form_of(known, description="Mine", **changed))
    assert answer["Location"] == "/clusters/alpha/", "what may not be changed stays as it is"
    assert as_in_database(known) == before
    assert simulator.requests == [], "and nothing was asked anywhere"
    wanted = ClusterSettings(**{**before, **changed, "password": "typed", "vnc_password": "typed"})
    actor = Actor(manager, Via.CLI)
    with pytest.raises(Forbidden, match="Only administrators may change the address"):
        run(EditCluster(), Ask(actor, known, wanted))
    with pytest.raises(Forbidden, match="Only administrators may change the address"):
        probe_cluster(actor, wanted, known=known)
    assert as_in_database(known) == before
    assert simulator.requests == []


def test_the_vnc_password_is_typed_again_or_forgotten_where_the_cluster_points_elsewhere(known: Cluster) -> None:
    admin = Actor(make_admin(), Via.CLI)
    wanted = ClusterSettings(**{**as_in_database(known), "host": "192.0.2.9"})
    with pytest.raises(Refusal, match="Type the VNC password, or forget it"):
        run(EditCluster(), Ask(admin, known, wanted))
    run(EditCluster(), Ask(admin, known, replace(wanted, vnc_password="")))
    known.refresh_from_db()
    assert (known.host, known.vnc_password) == ("192.0.2.9", "")
