"""The RFB logins, step by step and byte by byte."""

import os
import subprocess
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vncproxy.rfb import BrowserLogin, NodeLogin, answer
from vncproxy.troubles import ConsoleError, Trouble

CHALLENGE = bytes(range(16))


def drip(login, data):
    """Feed one byte at a time, as a slow network would."""
    return b"".join(login.feed(bytes([byte])) for byte in data)


def test_answer_is_what_other_implementations_compute():
    # From RFC 6143's scheme by OpenSSL's DES with the mirrored key of "password".
    key = bytes(int(f"{byte:08b}"[::-1], 2) for byte in b"password").hex()
    command = ["openssl", "enc", "-des-ecb", "-K", key, "-nopad", "-provider", "legacy", "-provider", "default"]
    theirs = subprocess.run(command, input=CHALLENGE, capture_output=True)
    if theirs.returncode:
        pytest.skip(f"openssl has no DES here: {theirs.stderr.decode().strip()[:100]}")
    assert answer(CHALLENGE, "password") == theirs.stdout


def test_answer_looks_at_eight_characters():
    assert answer(CHALLENGE, "12345678") == answer(CHALLENGE, "123456789")
    assert answer(CHALLENGE, "1234567") != answer(CHALLENGE, "12345678")


@pytest.mark.parametrize("feed", [lambda login, data: login.feed(data), drip], ids=["whole", "drip"])
@pytest.mark.parametrize("version", [b"RFB 003.007\n", b"RFB 003.008\n"])
def test_browser_logs_in(feed, version):
    login = BrowserLogin("secret", CHALLENGE)
    assert login.greeting() == b"RFB 003.008\n"
    assert feed(login, version) == b"\x01\x02"
    assert feed(login, b"\x02") == CHALLENGE
    assert not login.done
    assert feed(login, answer(CHALLENGE, "secret")) == b""
    assert login.done
    assert login.accept() == bytes(4)


def test_browser_of_version_3_3_is_challenged_too():
    login = BrowserLogin("secret", CHALLENGE)
    assert login.feed(b"RFB 003.003\n") == b"\0\0\0\2" + CHALLENGE
    login.feed(answer(CHALLENGE, "secret"))
    assert login.done


def test_what_follows_the_login_is_kept_for_the_machine():
    login = BrowserLogin("secret", CHALLENGE)
    login.feed(b"RFB 003.008\n\x02" + answer(CHALLENGE, "secret") + b"\x01more")
    assert login.done
    assert login.take_rest() == b"\x01more"


@pytest.mark.feature("F207")
def test_browser_may_choose_nothing_but_vnc_authentication():
    """CVE-2022-36436: a client that chose *None* was let in."""
    for chosen in set(range(256)) - {2}:
        login = BrowserLogin("secret")
        login.feed(b"RFB 003.008\n")
        with pytest.raises(ConsoleError) as caught:
            login.feed(bytes([chosen]) + b"\x01")
        assert caught.value.trouble is Trouble.BROWSER_PROTOCOL, chosen
        assert not login.done, chosen


@pytest.mark.parametrize("version", [b"RFB 003.889\n", b"RFB 004.001\n", b"GET / HTTP/1", b"\0" * 12, b"RFB 003.00x\n"])
def test_unknown_versions_are_refused(version):
    with pytest.raises(ConsoleError):
        BrowserLogin("secret").feed(version)


def test_wrong_password_is_refused():
    login = BrowserLogin("secret")
    login.feed(b"RFB 003.008\n\x02")
    with pytest.raises(ConsoleError) as caught:
        login.feed(bytes(16))
    assert caught.value.trouble is Trouble.BROWSER_LOGIN
    with pytest.raises(ConsoleError):
        login.accept()


def test_each_challenge_is_another():
    first, second = (BrowserLogin("secret").feed(b"RFB 003.008\n\x02")[2:] for _ in range(2))
    assert first != second


def test_a_console_without_a_password_is_not_offered():
    with pytest.raises(ValueError, match="without a password"):
        BrowserLogin("")


@given(st.binary(max_size=200))
def test_no_garbage_logs_in(garbage):
    login = BrowserLogin("secret", CHALLENGE)
    with suppress(ConsoleError):
        login.feed(garbage)
    assert not login.done


@given(st.lists(st.binary(max_size=20), max_size=20))
def test_no_node_makes_the_login_fail_otherwise_than_by_a_trouble(pieces):
    login = NodeLogin("secret")
    with suppress(ConsoleError):
        for piece in pieces:
            login.feed(piece)


@pytest.mark.parametrize("feed", [lambda login, data: login.feed(data), drip], ids=["whole", "drip"])
@pytest.mark.parametrize(
    ("server", "password", "spoken"),
    [
        # what the node says -> what we say, up to the end of the login
        (b"RFB 003.008\n\x01\x01\0\0\0\0", "", b"RFB 003.008\n\x01"),
        (b"RFB 003.007\n\x01\x01", "", b"RFB 003.007\n\x01"),
        (b"RFB 003.003\n\0\0\0\1", "", b"RFB 003.003\n"),
        (b"RFB 003.889\n\x01\x01\0\0\0\0", "", b"RFB 003.008\n\x01"),
        (b"RFB 003.008\n\x01\x02" + CHALLENGE + bytes(4), "pw", b"RFB 003.008\n\x02" + answer(CHALLENGE, "pw")),
        (b"RFB 003.007\n\x01\x02" + CHALLENGE + bytes(4), "pw", b"RFB 003.007\n\x02" + answer(CHALLENGE, "pw")),
        (b"RFB 003.003\n\0\0\0\2" + CHALLENGE + bytes(4), "pw", b"RFB 003.003\n" + answer(CHALLENGE, "pw")),
        # both offered: the password is used where there is one
        (b"RFB 003.008\n\x02\x01\x02" + CHALLENGE + bytes(4), "pw", b"RFB 003.008\n\x02" + answer(CHALLENGE, "pw")),
        (b"RFB 003.008\n\x02\x01\x02\0\0\0\0", "", b"RFB 003.008\n\x01"),
    ],
)
def test_logs_in_at_nodes(feed, server, password, spoken):
    login = NodeLogin(password)
    assert feed(login, server) == spoken
    assert login.done
    login.feed(b"later")
    assert login.take_rest() == b"later"


@pytest.mark.parametrize(
    ("server", "password", "trouble", "detail"),
    [
        (b"HTTP/1.1 400", "", Trouble.UNREACHABLE, "it does not speak VNC"),
        (b"SSH-", "", Trouble.UNREACHABLE, "it does not speak VNC"),
        (b"RFB 3.8\r\nxyz", "", Trouble.UNREACHABLE, "it does not speak VNC"),
        (b"RFB 003.008\n\0\0\0\0\x04Full", "", Trouble.NODE_SAID_NO, "Full"),
        (b"RFB 003.003\n\0\0\0\0\0\0\0\x04Full", "", Trouble.NODE_SAID_NO, "Full"),
        (b"RFB 003.008\n\0\xff\xff\xff\xff", "", Trouble.NODE_SAID_NO, ""),
        (b"RFB 003.008\n\x01\x02", "", Trouble.PASSWORD_MISSING, ""),
        (b"RFB 003.003\n\0\0\0\2", "", Trouble.PASSWORD_MISSING, ""),
        (b"RFB 003.008\n\x01\x13", "pw", Trouble.NO_METHOD, ""),
        (b"RFB 003.008\n\x01\x02" + CHALLENGE + b"\0\0\0\1\0\0\0\x02no", "pw", Trouble.PASSWORD_WRONG, "no"),
        (b"RFB 003.003\n\0\0\0\2" + CHALLENGE + b"\0\0\0\1", "pw", Trouble.PASSWORD_WRONG, ""),
    ],
)
def test_says_why_a_node_refuses(server, password, trouble, detail):
    login = NodeLogin(password)
    with pytest.raises(ConsoleError) as caught:
        drip(login, server)
    assert (caught.value.trouble, caught.value.detail) == (trouble, detail)


def test_a_node_that_hangs_up_after_the_password_did_not_like_it():
    login = NodeLogin("pw")
    assert login.lost_trouble is Trouble.NODE_CLOSED
    login.feed(b"RFB 003.008\n\x01\x02" + os.urandom(16))
    assert login.lost_trouble is Trouble.PASSWORD_WRONG


def test_reasons_fit_into_a_close_frame():
    for trouble in Trouble:
        assert len(trouble.reason().encode()) <= 123
        assert len(trouble.reason("é" * 500 + "\x1b[2J").encode()) <= 123
        assert "\x1b" not in trouble.reason("\x1b[2J")
