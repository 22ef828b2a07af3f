"""Tokens with which scripts read whose SSH keys are let in: made, shown once, refused, withdrawn; and these feeds."""

from __future__ import annotations

import os
import re
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from objectlog.models import Event, Via
from operations.contract import Actor, Ask, Invalid
from operations.pipeline import run
from operations.table import OPERATIONS
from people.operations.tokens import MOST_TOKENS, TokenParams
from people.tokens import find_token
from permissions.models import Token, User
from permissions.services import grant
from tests.factories import (
    ED25519,
    FINGERPRINT,
    make_admin,
    make_cluster,
    make_key,
    make_token,
    make_user,
    make_vm,
)

pytestmark = pytest.mark.django_db
SECRET = "gwm_a-secret-of-more-than-thirty-two-characters"
ELSEWHERE = "gwm_another-secret-of-more-than-thirty-two-chars"
ANY, LAB, WEB1 = "/feeds/keys/", "/feeds/keys/lab/", "/feeds/keys/lab/web1.example.org/"


class World:
    """A cluster with two machines: alice has one, a team the other, carol may only start it, root everything."""

    def __init__(self) -> None:
        self.cluster, self.other = make_cluster("lab"), make_cluster("other")
        self.web1, self.web2 = make_vm(self.cluster, "web1.example.org"), make_vm(self.cluster, "web2.example.org")
        team = Group.objects.create(name="web")
        self.alice, self.bob, self.carol = make_user("alice"), make_user("bob", team), make_user("carol")
        self.root = make_admin()
        grant(["admin"], self.alice, self.web1)
        grant(["admin"], team, self.web2)
        grant(["power"], self.carol, self.web1)
        for person in (self.alice, self.bob, self.carol, self.root):
            make_key(person, f"of {person}")


@pytest.fixture
def world() -> World:
    return World()


def ask(path: str, secret: str = SECRET, client: Client | None = None) -> Any:
    return (client or Client()).get(path, headers={"Authorization": f"Bearer {secret}"})


def people_in(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.content
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    lines = answer.content.decode().splitlines()
    assert all(line.startswith(f"{ED25519} ") for line in lines)
    return [line.split()[2] for line in lines]


@pytest.mark.feature("F275", "F276")
def test_who_is_let_in_is_who_administers_the_machine(world: World) -> None:
    make_token(world.root, secret=SECRET)
    assert people_in(ask(WEB1)) == ["alice", "root"]
    assert people_in(ask("/feeds/keys/lab/web2.example.org/")) == ["bob", "root"]
    assert people_in(ask(LAB)) == people_in(ask(ANY)) == ["alice", "bob", "root"]
    assert people_in(ask("/feeds/keys/other/")) == []
    assert ask(f"{WEB1}?format=json").json() == [[ED25519, "alice"], [ED25519, "root"]]
    User.objects.filter(username="alice").update(is_active=False)
    assert people_in(ask(WEB1)) == ["root"]
    assert people_in(ask(ANY)) == ["bob", "root"]


@pytest.mark.feature("F276")
def test_a_feed_is_for_who_shows_a_token_that_counts_there(world: World) -> None:
    signed_in = Client()
    signed_in.force_login(world.root)
    for answer in (Client().get(WEB1), signed_in.get(WEB1), ask(WEB1), ask(WEB1, ""), ask(WEB1, "x\x00y")):
        assert answer.status_code == 401 and b"ssh-" not in answer.content
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    make_token(world.root, "elsewhere", secret=ELSEWHERE)
    for given in (f"?token={ELSEWHERE}", f"?access_token={ELSEWHERE}", f"?Authorization=Bearer {ELSEWHERE}"):
        assert Client().get(f"{WEB1}{given}").status_code == 401, "what stands in an address is in logs"
    for head in (
        f"Basic {ELSEWHERE}",
        ELSEWHERE,
        f"Bearer {ELSEWHERE}, x",
        f"Bearer {ELSEWHERE * 500}",
        "Bearer " * 9000,
    ):
        assert Client().get(WEB1, headers={"Authorization": head}).status_code == 401, head[:60]
    assert people_in(ask(WEB1, ELSEWHERE)) == ["alice", "root"]
    token = make_token(world.root, secret=SECRET, on=world.cluster)
    assert people_in(ask(WEB1)) == ["alice", "root"]
    assert "for the keys of lab" in ask(ANY).content.decode() and ask(ANY).status_code == 403
    assert ask("/feeds/keys/other/").status_code == 403
    assert ask("/feeds/keys/nowhere/").status_code == ask("/feeds/keys/lab/nothing/").status_code == 404
    assert Client().post(WEB1, headers={"Authorization": f"Bearer {SECRET}"}).status_code == 405
    Token.objects.filter(pk=token.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert ask(WEB1).status_code == 401
    Token.objects.filter(pk=token.pk).update(expires_at=timezone.now() + timedelta(days=1))
    User.objects.filter(username="root").update(is_superuser=False)
    assert ask(LAB).status_code == 404, "what its person may no longer see"
    User.objects.filter(username="root").update(is_superuser=True, is_active=False)
    assert ask(WEB1).status_code == 401


def test_a_token_gives_no_more_than_its_person_holds(world: World) -> None:
    make_token(world.carol, secret=SECRET)
    assert ask(ANY).status_code == 403
    assert ask(WEB1).status_code == 403, "who may start a machine does not read who is let in"
    assert ask("/feeds/keys/lab/web2.example.org/").status_code == 404


@pytest.mark.feature("F276")
def test_a_token_is_shown_once_and_kept_as_a_digest(world: World, client: Client) -> None:
    client.force_login(world.alice)
    page = reverse("own-tokens")
    answer = client.post(page, {"name": "hook", "on": "lab/web1.example.org", "until": "30d", "secret": "chosen"})
    shown = re.search(r"gwm_[\w-]{43}", answer.content.decode())
    assert answer.status_code == 200 and shown is not None
    assert "no-store" in answer.headers["Cache-Control"]
    token = world.alice.tokens.get()
    assert find_token(shown[0]) == token and shown[0] not in str(Token.objects.values())
    assert shown[0] not in client.get(page).content.decode()
    assert shown[0] not in str(list(Event.objects.values()))
    assert people_in(ask(WEB1, shown[0])) == ["alice", "root"]
    token.refresh_from_db()
    assert token.last_used_at is not None
    before = token.last_used_at
    ask(WEB1, shown[0])
    token.refresh_from_db()
    assert token.last_used_at == before, "written once a minute"
    done = client.post(reverse("token-do", kwargs={"name": "alice", "token": "hook", "verb": "withdraw"}))
    assert done.status_code == 302 and ask(WEB1, shown[0]).status_code == 401


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"on": "everything"}, "Only administrators may have a token for everything."),
        ({"on": "lab"}, "There is no lab that you may see."),
        ({"on": "lab/web2.example.org"}, "There is no lab/web2.example.org that you may see."),
        ({"name": "two words"}, "Type a name of letters"),
        ({"name": "taken"}, "There is a token “taken” already."),
        ({"until": "2020-01-01"}, "Type an end that is to come."),
        ({"until": "soon"}, "is no moment"),
        ({"until": ""}, "This field is required."),
    ],
)
def test_what_was_typed_stays_when_it_will_not_do(world: World, client: Client, given: Any, words: str) -> None:
    client.force_login(world.alice)
    make_token(world.alice, "taken")
    typed = {"name": "hook", "on": "lab/web1.example.org", "until": "30d", **given}
    answer = client.post(reverse("own-tokens"), typed)
    assert answer.status_code == 422
    text = answer.content.decode()
    assert words in text and all(f'value="{value}"' in text for value in typed.values() if value)
    assert world.alice.tokens.count() == 1


def test_nobody_makes_tokens_in_another_name_and_administrators_withdraw_them(world: World, client: Client) -> None:
    make_token(world.alice, "hook")
    client.force_login(world.root)
    page = reverse("person-tokens", args=["alice"])
    assert "Tokens of alice" in client.get(page).content.decode()
    assert client.post(page, {"name": "mine", "on": "everything", "until": "30d"}).status_code == 403
    client.force_login(world.bob)
    assert client.get(page).status_code == 404
    door = reverse("token-do", kwargs={"name": "alice", "token": "hook", "verb": "withdraw"})
    assert client.post(door).status_code == 404
    client.force_login(world.root)
    assert client.post(door).status_code == 302 and not Token.objects.exists()
    assert FINGERPRINT not in client.get(page).content.decode()


@pytest.mark.parametrize(("secret", "there", "field"), [("x" * 31, 0, "secret"), (SECRET, MOST_TOKENS, "name")])
def test_what_is_no_token_by_whatever_way(world: World, secret: str, there: int, field: str) -> None:
    for number in range(there):
        make_token(world.root, f"t{number}")
    params = TokenParams("mine", None, timezone.now() + timedelta(days=1), secret)
    with pytest.raises(Invalid) as wrong:
        run(OPERATIONS["token.add"], Ask(Actor(world.root, Via.CLI), world.root, params))
    assert set(wrong.value.errors) == {field}


SCRIPTS = Path(__file__).resolve().parents[2] / "deploy/ganeti"


@pytest.fixture
def token_file(world: World, tmp_path: Path) -> Path:
    make_token(world.root, secret=SECRET, on=world.cluster)
    (tmp_path / "token").write_text(f"{SECRET}\n")
    return tmp_path / "token"


@pytest.mark.django_db(transaction=True)
@pytest.mark.feature("F277", "F278")
def test_the_hook_writes_the_keys_of_its_machine_or_leaves_what_is_there(
    live_server: Any, world: World, token_file: Path, tmp_path: Path
) -> None:
    root = tmp_path / "target"
    conf = tmp_path / "conf"
    conf.write_text(f"GWM_URL={live_server.url}\nGWM_CLUSTER=lab\nGWM_TOKEN_FILE={token_file}\n")

    def hook(machine: str) -> subprocess.CompletedProcess[str]:
        known = {"GWM_SSH_KEYS_CONF": str(conf), "GWM_AUTHORIZED_KEYS": str(SCRIPTS / "gwm-authorized-keys")}
        env = {"PATH": os.environ["PATH"], "INSTANCE_NAME": machine, "TARGET": str(root), **known}
        return subprocess.run([SCRIPTS / "gwm-ssh-keys"], env=env, capture_output=True, text=True, check=False)

    keys = root / "root/.ssh/authorized_keys"
    done = hook("web1.example.org")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    written = keys.read_text()
    assert [line.split()[2] for line in written.splitlines()] == ["alice", "root"]
    assert (keys.stat().st_mode & 0o777, keys.parent.stat().st_mode & 0o777) == (0o600, 0o700)

    refused = hook("nothing.example.org")
    assert refused.returncode == 1 and refused.stderr.startswith("gwm-authorized-keys: 404")
    token_file.write_text("gwm_another")
    refused = hook("web1.example.org")
    assert refused.returncode == 1 and "401: Show a token that counts" in refused.stderr
    assert SECRET not in refused.stderr and keys.read_text() == written and list(keys.parent.iterdir()) == [keys]
    conf.unlink()
    assert hook("web1.example.org").returncode == 0, "where nothing is set up, nothing is done"
