"""Tickets: sealed, short-lived, and not to be made by anybody else."""

import base64
import re

import pytest

from vncproxy.tickets import (
    LONGEST_LIFETIME_S,
    ExpiredTicketError,
    InvalidTicketError,
    Ticket,
    new_password,
    open_ticket,
    seal,
)

NOW = 1_800_000_000.0
TICKET = Ticket(
    host="192.0.2.1",
    port=11000,
    user_id=7,
    user="alice",
    vm="1/abc",
    vm_name="web1.example.org",
    session="mark",
    password="nodesecret",
    browser_password="browserp",
    expires_at=NOW + 30,
)


def test_opens_what_was_sealed():
    assert open_ticket(["k"], seal(["k"], TICKET), NOW) == TICKET


def test_fits_into_a_subprotocol_and_shows_nothing():
    text = seal(["k"], TICKET)
    assert re.fullmatch(r"[A-Za-z0-9_-]+", text)
    assert b"nodesecret" not in base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    assert "192.0.2.1" not in text


def test_keys_rotate():
    old = seal(["old"], TICKET)
    assert open_ticket(["new", "old"], old, NOW) == TICKET
    with pytest.raises(InvalidTicketError):
        open_ticket(["new"], old, NOW)


@pytest.mark.feature("F208")
@pytest.mark.parametrize("after_s", [30, 31, 3600])
def test_expires(after_s):
    with pytest.raises(ExpiredTicketError):
        open_ticket(["k"], seal(["k"], TICKET), NOW + after_s)


def test_a_ticket_for_ever_is_refused():
    with pytest.raises(InvalidTicketError):
        open_ticket(["k"], seal(["k"], TICKET), NOW - LONGEST_LIFETIME_S)


def test_every_changed_character_is_noticed():
    text = seal(["k"], TICKET)
    for place in range(0, len(text) - 1, 7):
        other = "A" if text[place] != "A" else "B"
        with pytest.raises(InvalidTicketError):
            open_ticket(["k"], text[:place] + other + text[place + 1 :], NOW)


@pytest.mark.parametrize("text", ["", "x", "é", "A" * 5000, "gAAAAA", "=" * 40, "\0"])
def test_garbage_is_refused(text):
    with pytest.raises(InvalidTicketError):
        open_ticket(["k"], text, NOW)


@pytest.mark.parametrize(
    "changes",
    [{"host": ""}, {"port": 0}, {"port": 70000}, {"browser_password": ""}, {"kind": "spice"}, {"id": ""}],
)
def test_an_incomplete_ticket_is_refused_though_well_sealed(changes):
    values = {name: getattr(TICKET, name) for name in TICKET.__slots__}
    with pytest.raises(InvalidTicketError):
        open_ticket(["k"], seal(["k"], Ticket(**(values | changes))), NOW)


def test_no_key_no_ticket():
    for keys in ([], [""]):
        with pytest.raises(ValueError, match="no console key"):
            seal(keys, TICKET)


def test_secrets_stay_out_of_its_repr():
    assert "nodesecret" not in repr(TICKET)
    assert "browserp" not in repr(TICKET)


def test_passwords_are_of_the_length_vnc_looks_at():
    passwords = {new_password() for _ in range(50)}
    assert len(passwords) == 50
    assert {len(password) for password in passwords} == {8}
