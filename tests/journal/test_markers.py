"""A day's work with secrets that would be known anywhere: none is in log, journal, mail, database, page or bundle."""

import io
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.core import mail
from django.core.management import call_command
from django.test import Client

from clusters.models import Cluster
from clusters.operations.cluster import EditCluster
from clusters.operations.wanted import ClusterSettings
from gwm.diagnosing.bundle import gather
from objectlog.chain import seal_all
from objectlog.models import Via
from operations.contract import SITE, Actor, Ask, Refusal
from operations.forms import params_from
from operations.pipeline import run
from operations.table import OPERATIONS
from people.factors import add_app
from people.mailing import send_due_letters
from permissions.models import User
from tests.creating.conftest import Maker, maker
from tests.factories import make_admin
from tests.updates.conftest import update

__all__ = ["maker"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.feature("G018")]

# One for each thing that nobody may read again, by what it is.
MARKERS = {
    name: f"Mark3r{name}Q7zX"
    for name in (
        *("SignIn", "WrongSignIn", "FirstPassword", "SetPassword", "NewPassword", "OldPassword", "Unequal"),
        *("Cluster", "Vnc", "Private", "Secret", "Refused", "Typed", "TypedPrivate"),
        *("Token", "TokenOfNobody", "App"),
    )
}


def list_kept() -> Iterator[tuple[str, str]]:
    """Every value of every row of every table, with where it stands."""
    for model in apps.get_models(include_auto_created=True):
        for row in model._default_manager.values():
            for column, value in row.items():
                yield f"{model._meta.label}.{column}", str(value)


def do(actor: Actor, key: str, target: Any, **data: Any) -> None:
    run(OPERATIONS[key], Ask(actor, target, params_from(OPERATIONS[key], actor, target, data)))


def work(maker: Maker, settings: Any) -> tuple[Client, User]:
    """What people do with secrets, what fails included."""
    root = make_admin()
    root.set_password(MARKERS["SignIn"])
    root.email = "root@example.org"
    root.save()
    client = Client()
    for password in ("WrongSignIn", "SignIn"):
        client.post("/login/", {"login": "root", "password": MARKERS[password]})
    actor = Actor(root, Via.WEB)
    do(actor, "person.add", SITE, username="bob", password=MARKERS["FirstPassword"])
    do(actor, "person.set-password", User.objects.get(username="bob"), password=MARKERS["SetPassword"])
    token, of_nobody = (MARKERS[name].ljust(40, "t") for name in ("Token", "TokenOfNobody"))
    do(actor, "token.add", root, name="hook", on="everything", until="30d", secret=token)
    with pytest.raises(Refusal):
        do(actor, "token.add", root, name="hook", on="everything", until="30d", secret=of_nobody)
    for shown, status in ((token, 200), (of_nobody, 401)):
        assert Client().get("/feeds/keys/", headers={"authorization": f"Bearer {shown}"}).status_code == status
    add_app(User.objects.get(username="bob"), MARKERS["App"], 0)
    do(actor, "person.reset-factors", User.objects.get(username="bob"))
    add_app(User.objects.get(username="bob"), MARKERS["App"], 0)
    secrets = {"osparams_private": {"pw": MARKERS["Private"]}, "osparams_secret": {"pw": MARKERS["Secret"]}}
    maker.create(maker.with_(**secrets), dry_run=True)
    maker.finish()
    maker.create(maker.with_(**secrets))
    maker.finish()
    with pytest.raises(Refusal):
        maker.create(maker.with_(name="bad name", osparams_secret={"pw": MARKERS["Refused"]}))
    maker.simulator.stop()
    cluster = maker.cluster
    wanted = ClusterSettings(
        "lab",
        cluster.host,
        cluster.port,
        username=cluster.username,
        password=MARKERS["Cluster"],
        vnc_password=MARKERS["Vnc"],
        tls_fingerprint=cluster.tls_fingerprint,
    )
    run(EditCluster(), Ask(actor, cluster, wanted))
    assert update(cluster).outcome != "updated", "it is away"
    form = {"cluster": "lab", "name": "x", "osparams_secret": f"pw={MARKERS['Typed']}"}
    client.post("/vms/create/", {**form, "osparams_private": f"pw={MARKERS['TypedPrivate']}"})
    settings.GWM_MAIL_URL, settings.GWM_PUBLIC_URL = "smtp://localhost", "https://gwm.example.org"
    Client().post("/password/forgotten/", {"email": "root@example.org"})
    send_due_letters()
    wrong = {"oldpassword": MARKERS["OldPassword"], "password1": MARKERS["NewPassword"]}
    client.post("/account/password/", {**wrong, "password2": MARKERS["Unequal"]})
    return client, root


def list_pages(client: Client) -> Iterator[tuple[str, str]]:
    """What stands on pages and in files afterwards."""
    for url in (
        *("/", "/vms/", "/clusters/", "/jobs/", "/journal/", "/journal/?steps=1", "/batches/", "/dock/"),
        *("/person/root/", "/person/bob/", "/account/tokens/", "/account/factors/"),
        *("/journal/?format=csv&columns=all&steps=1", "/journal/?format=json&columns=all&steps=1"),
        *("/journal/?format=jsonl&columns=all&steps=1", "/clusters/lab/", "/clusters/lab/journal/"),
        *("/clusters/lab/edit/", "/clusters/lab/do/remove/", "/clusters/lab/vms/new1.example.org/"),
        *("/clusters/lab/vms/new1.example.org/parameters/", "/clusters/lab/vms/new1.example.org/edit/"),
    ):
        answer: Any = client.get(url)
        assert answer.status_code == 200, url
        body = b"".join(answer.streaming_content) if answer.streaming else answer.content
        yield url, body.decode()


def test_no_secret_is_anywhere_afterwards(
    maker: Maker, settings: Any, caplog: pytest.LogCaptureFixture, tmp_path: Any
) -> None:
    """Neither before what the log takes out of its lines."""
    caplog.set_level(logging.DEBUG)
    settings.GWM_JOURNAL_STREAM = f"file://{tmp_path}/journal.jsonl"
    client, root = work(maker, settings)
    assert client.get("/journal/").status_code == 200, f"{root} is signed in"
    assert Cluster.objects.get().password == MARKERS["Cluster"] and maker.rows()
    assert User.objects.get(username="bob").check_password(MARKERS["SetPassword"])
    assert len(mail.outbox) == 1
    seal_all()
    call_command("stream_journal", stdout=io.StringIO())
    found = [
        *list_kept(),
        *list_pages(client),
        *(("log", f"{record.getMessage()} {record.exc_text or ''}") for record in caplog.records),
        *(("mail", f"{letter.subject} {letter.body}") for letter in mail.outbox),
        ("stream", (tmp_path / "journal.jsonl").read_text()),
        *gather(tmp_path / "journal.jsonl", with_names=True).texts.items(),
    ]
    assert len(found) > 1000 and any(where == "log" for where, _text in found)
    shown = sorted({(where, name) for where, text in found for name, marker in MARKERS.items() if marker in text})
    assert shown == []
