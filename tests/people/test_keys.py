"""SSH public keys: what is taken, who may add and remove them, and what is said when one is not taken."""

from __future__ import annotations

import base64
import struct
from typing import Any
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from django.test import Client
from django.urls import reverse

from objectlog.models import Event, Via
from objectlog.reading import read_event
from operations.contract import Actor, Ask, Invalid
from operations.pipeline import run
from people.operations.keys import MOST_KEYS, AddKey, KeyParams
from people.public_keys import LONGEST_COMMENT, NotTaken, read_public_key
from permissions.models import SshKey, User
from tests.factories import ED25519, FINGERPRINT, make_admin, make_key, make_user

pytestmark = pytest.mark.django_db


def public(key: Any) -> str:
    """The line of its .pub file."""
    return str(key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode())


def security_key(kind: str, *parts: bytes) -> str:
    """A key that lives in a token; nothing on this machine can make one."""
    body = b"".join(struct.pack(">I", len(part)) + part for part in (kind.encode(), *parts, b"ssh:"))
    return f"{kind} {base64.b64encode(body).decode()}"


def point() -> bytes:
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def raw() -> bytes:
    return ed25519.Ed25519PrivateKey.generate().public_key().public_bytes_raw()


@pytest.mark.feature("F272", "F273")
@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (lambda: public(ed25519.Ed25519PrivateKey.generate()), "ssh-ed25519"),
        (lambda: public(ec.generate_private_key(ec.SECP256R1())), "ecdsa-sha2-nistp256"),
        (lambda: public(ec.generate_private_key(ec.SECP521R1())), "ecdsa-sha2-nistp521"),
        (lambda: public(rsa.generate_private_key(65537, 2048)), "ssh-rsa"),
        (lambda: security_key("sk-ssh-ed25519@openssh.com", raw()), "sk-ssh-ed25519@openssh.com"),
        (
            lambda: security_key("sk-ecdsa-sha2-nistp256@openssh.com", b"nistp256", point()),
            "sk-ecdsa-sha2-nistp256@openssh.com",
        ),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_keys_are_taken_with_and_without_a_comment(make: Any, kind: str) -> None:
    line = make()
    for comment in ("", "alice@laptop", "two words, ünd more"):
        found = read_public_key(f"  {line} {comment}\r\n")
        assert (found.kind, found.body, found.comment) == (kind, line.split()[1], comment)
        assert found.bits == (2048 if kind == "ssh-rsa" else 0)


@pytest.mark.feature("F272")
def test_the_fingerprint_is_that_of_ssh_keygen() -> None:
    """Compared once by hand with `ssh-keygen -l`, of the example key of RFC 8032."""
    assert read_public_key(ED25519).fingerprint == FINGERPRINT == "SHA256:bbXpuKG6zhzdmnxq256TlqzFBzRl2f6OOg722cYNbU8"


def private() -> str:
    key = ed25519.Ed25519PrivateKey.generate()
    return key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode()


def weak() -> str:
    return public(rsa.generate_private_key(65537, 1024))  # noqa: S505 - to see it refused


@pytest.mark.feature("F272")
@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: "hello", "no SSH public key"),
        (lambda: "", "no SSH public key"),
        (lambda: "ssh-ed25519", "incomplete"),
        (lambda: ED25519[:-5], "incomplete"),
        (lambda: ED25519.replace("ssh-ed25519 ", "ssh-rsa "), "incomplete"),
        (lambda: f"{ED25519}!!!!", "incomplete"),
        (private, "private key"),
        (weak, "1024 bits is too weak"),
        (lambda: "ssh-dss AAAAB3NzaC1kc3MAAACBAP", "DSA"),
        (lambda: f'command="rm" {ED25519}', "Options are not taken"),
        (lambda: f"{ED25519}\n{ED25519}", "one key at a time"),
        (lambda: f"{ED25519} a\u2028{ED25519}", "one key at a time"),
        (lambda: ED25519.replace("ssh-ed25519 ", "ssh-ed25519-cert-v01@openssh.com "), "certificate"),
        (lambda: "---- BEGIN SSH2 PUBLIC KEY ----", "ssh-keygen -i"),
        (lambda: "ssh-rsa " + "A" * 9000, "longer"),
        (lambda: "\x00" * 50, "no SSH public key"),
    ],
)
def test_what_is_no_such_key_is_refused_with_a_remedy(make: Any, words: str) -> None:
    with pytest.raises(NotTaken, match=words):
        read_public_key(make())


def test_a_comment_can_hide_nothing() -> None:
    """It stands in a file of which each line opens a door."""
    found = read_public_key(f"{ED25519} a\x00ssh-rsa\x1b[0m\u202eb\u200bc {'x' * 999}")
    assert found.comment.startswith("a ssh-rsa [0m b c xxx") and len(found.comment) <= LONGEST_COMMENT
    assert "\n" not in f"{found.comment}" and len(f"{found.comment}".splitlines()) == 1


@pytest.fixture
def alice(client: Client) -> User:
    person = make_user("alice")
    client.force_login(person)
    return person


def said(text: str) -> Event:
    return Event.objects.filter(verb=text).latest("pk")


@pytest.mark.feature("F271", "F274", "F257")
def test_one_adds_edits_and_removes_ones_own_keys(client: Client, alice: User) -> None:
    page = reverse("person-keys", args=["alice"])
    assert "Your SSH keys" in client.get(page).content.decode()
    assert client.post(reverse("own-keys"), {"key": f"{ED25519} laptop"}).status_code == 302
    key = alice.ssh_keys.get()
    assert (key.line, key.fingerprint) == (f"{ED25519} laptop", FINGERPRINT)
    assert read_event(said("key.add")).sentence == f"Added SSH key alice/{FINGERPRINT}"
    shown = client.get(page).content.decode()
    assert all(each in shown for each in ("laptop", "ssh-ed25519", FINGERPRINT)) and key.body not in shown

    door = {"name": "alice", "fingerprint": FINGERPRINT}
    assert client.post(reverse("key-do", kwargs={**door, "verb": "edit"}), {"comment": "at home"}).status_code == 302
    assert alice.ssh_keys.get().comment == "at home"
    assert read_event(said("key.edit")).changes == [("comment", "laptop", "at home")]
    assert client.post(reverse("key-do", kwargs={**door, "verb": "remove"})).status_code == 302
    assert not SshKey.objects.exists() and said("key.remove").target_name == f"alice/{FINGERPRINT}"


@pytest.mark.feature("F271")
def test_what_was_typed_stays_when_it_is_not_taken(client: Client, alice: User) -> None:
    page = reverse("person-keys", args=["alice"])
    make_key(alice)
    for key, words in ((f"{ED25519} again", "has this key already"), ("ssh-ed25519 zz", "incomplete")):
        answer = client.post(page, {"key": key})
        assert answer.status_code == 422
        assert key in answer.content.decode() and words in answer.content.decode()
    assert alice.ssh_keys.count() == 1


@pytest.mark.feature("F015")
def test_administrators_look_after_everybodys_keys_and_nobody_else_does(client: Client, alice: User) -> None:
    bob = make_user("bob", is_staff=True)
    make_key(bob)
    page = reverse("person-keys", args=["bob"])
    assert client.get(page).status_code == client.post(page, {"key": ED25519}).status_code == 404
    door = reverse("key-do", kwargs={"name": "bob", "fingerprint": FINGERPRINT, "verb": "remove"})
    assert client.post(door).status_code == 404
    # an id of somebody else in the form says nothing
    client.post(reverse("person-keys", args=["alice"]), {"key": ED25519, "person": bob.pk, "user": "bob"})
    assert (alice.ssh_keys.count(), bob.ssh_keys.count()) == (1, 1)
    client.force_login(make_admin())
    assert "SSH keys of bob" in client.get(page).content.decode()
    assert client.post(door).status_code == 302
    assert not bob.ssh_keys.exists()


def test_keys_are_counted_and_of_two_who_add_one_the_second_is_told(alice: User) -> None:
    actor = Actor(alice, Via.CLI)
    ask = Ask(actor, alice, KeyParams(ED25519))
    assert ask.params.read.kind == "ssh-ed25519"
    make_key(alice)
    with pytest.raises(Invalid, match="has this key already"):
        AddKey().claim(ask, uuid4())  # past the check, as in a race
    SshKey.objects.bulk_create(
        SshKey(person=alice, kind="ssh-ed25519", body="", fingerprint=f"SHA256:{number}") for number in range(MOST_KEYS)
    )
    with pytest.raises(Invalid, match="Remove one first"):
        run(AddKey(), Ask(actor, alice, KeyParams(public(ed25519.Ed25519PrivateKey.generate()))))
