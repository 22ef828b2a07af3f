"""The real daemon over real sockets, between a toy VNC server and a browser without a screen."""

import os
import socket
import ssl
import stat
import threading
import time
from pathlib import Path

import pytest

from tests.vncproxy.conftest import make_certificate, run_daemon
from tests.vncproxy.ends import SERVER_INIT_NAME, Browser, ticket
from vncproxy.client import ControlError, close_consoles, list_consoles
from vncproxy.troubles import Trouble

pytestmark = pytest.mark.standalone


def wait_until(condition, *, within_s=60.0):
    """Poll until the condition holds; its last value. Pauses leave the processor to whoever is waited for."""
    deadline, pause = time.monotonic() + within_s, threading.Event()
    while not (value := condition()) and time.monotonic() < deadline:
        pause.wait(0.005)
    return value


def refusal_of(browser):
    """Close code and reason of a console that does not come about."""
    with pytest.raises(EOFError):
        browser.log_in()
    return browser.wait_for_close()


@pytest.mark.feature("F206", "F209")
@pytest.mark.parametrize("password", ["", "nodesecr"])
@pytest.mark.parametrize("version", [b"RFB 003.003\n", b"RFB 003.007\n", b"RFB 003.008\n"])
def test_a_console_from_end_to_end(daemon, vnc, version, password):
    server = vnc(version=version, password=password)
    browser = Browser(daemon.port, ticket(server.port, password=password))
    assert browser.start() == (64, 48, SERVER_INIT_NAME)  # markup in the name passes through as it is
    for size in (1, 1000, 65536):
        data = os.urandom(size)
        browser.write(data)
        assert browser.read(size) == data
    browser.close()
    assert server.closed.wait(60)


@pytest.mark.parametrize(
    ("kind", "asked", "trouble"),
    [
        ({"password": "right"}, {"password": "wrong"}, Trouble.PASSWORD_WRONG),
        ({"password": "right"}, {"password": ""}, Trouble.PASSWORD_MISSING),
        ({"types": b"\x13"}, {}, Trouble.NO_METHOD),
        ({"types": b""}, {}, Trouble.NODE_SAID_NO),
    ],
)
def test_why_there_is_no_console(daemon, vnc, kind, asked, trouble):
    browser = Browser(daemon.port, ticket(vnc(**kind).port, **asked))
    code, reason = refusal_of(browser)
    assert code == trouble.code
    assert reason.startswith(trouble.reason()[:20])


@pytest.mark.feature("F217")
@pytest.mark.parametrize("what", ["closed", "silent", "other service", "this host", "unspecified"])
def test_a_port_scan_learns_nothing(daemon, vnc, what):
    """The same words at the same time, whatever is there; the next limit, that of the handshake, is ten minutes."""
    with socket.create_server(("127.0.0.1", 0)) as silent, socket.create_server(("127.0.0.1", 0)) as free:
        port = {"closed": free, "silent": silent}.get(what, silent).getsockname()[1]
        free.close()
        if what == "other service":
            port = vnc(version=b"SSH-2.0-Open").port
        host = {"this host": "::1", "unspecified": "0.0.0.0"}.get(what, "127.0.0.1")
        browser = Browser(daemon.port, ticket(port, host=host, connect_timeout_s=1.0))
        began = time.monotonic()
        assert refusal_of(browser) == (Trouble.UNREACHABLE.code, Trouble.UNREACHABLE.reason())
        assert time.monotonic() - began > 0.9


def test_this_hosts_own_services_are_not_dialled(tmp_path, vnc):
    with run_daemon(tmp_path, GWM_CONSOLE_NODE_NETWORKS="") as daemon:
        server = vnc()
        for host in ("127.0.0.1", "::ffff:127.0.0.1", "127.1", "0x7f000001", "2130706433", "localhost", "0.0.0.0"):
            browser = Browser(daemon.port, ticket(server.port, host=host, connect_timeout_s=0.2))
            assert refusal_of(browser)[0] == Trouble.UNREACHABLE.code
        assert server.connections == 0
        browser = Browser(daemon.port, ticket(server.port, is_demo=True))
        assert browser.start() == (64, 48, SERVER_INIT_NAME)
        assert "127.0.0.1 is of 127.0.0.0/8, which GWM_CONSOLE_NODE_NETWORKS does not name" in daemon.log()


@pytest.mark.feature("F208")
def test_a_ticket_serves_once(daemon, vnc):
    text = ticket(vnc().port)
    first = Browser(daemon.port, text)
    first.start()
    again = Browser(daemon.port, text)
    assert again.wait_for_close()[0] == Trouble.USED.code
    first.close()
    assert Browser(daemon.port, text).wait_for_close()[0] == Trouble.USED.code


@pytest.mark.parametrize(
    ("text", "trouble"),
    [("nonsense", Trouble.BAD_TICKET), (ticket(1, key="another key"), Trouble.BAD_TICKET)],
)
def test_foreign_tickets(daemon, text, trouble):
    assert Browser(daemon.port, text).wait_for_close()[0] == trouble.code


@pytest.mark.parametrize("origin", [None, "null", "https://evil.example"])
def test_foreign_pages(daemon, vnc, origin):
    server = vnc()
    with pytest.raises(Exception, match="403"):
        Browser(daemon.port, ticket(server.port), origin=origin)
    assert server.connections == 0


def test_a_node_that_hangs_up_closes_the_browser(daemon, vnc):
    browser = Browser(daemon.port, ticket(vnc(after="close").port))
    browser.start()
    assert browser.wait_for_close() == (Trouble.NODE_CLOSED.code, Trouble.NODE_CLOSED.reason())


def test_a_browser_that_vanishes_closes_the_node(daemon, vnc):
    server = vnc()
    browser = Browser(daemon.port, ticket(server.port))
    browser.start()
    browser.vanish()
    assert server.closed.wait(60)


def test_a_reader_that_stalls_does_not_fill_the_memory(daemon, vnc):
    server = vnc(after="flood")
    browser = Browser(daemon.port, ticket(server.port))
    browser.start()
    wait_until(lambda: server.sent > 1_000_000)
    before = daemon.memory_mb()
    sent = -1
    while sent != server.sent:  # until nothing moves any more
        sent = server.sent
        wait_until(lambda sent=sent: server.sent != sent, within_s=0.7)
    assert daemon.memory_mb() - before < 8
    browser.read(20_000_000)  # and it goes on where it stopped
    browser.close()


def test_a_message_that_is_too_big_ends_it(daemon, vnc):
    browser = Browser(daemon.port, ticket(vnc().port))
    browser.start()
    browser.write(bytes(70_000))
    assert browser.wait_for_close()[0] == 1009


@pytest.mark.feature("F207")
def test_the_control_socket_lists_and_closes(daemon, vnc):
    assert stat.S_IMODE(Path(daemon.control).stat().st_mode) == 0o600
    browsers = []
    for user_id, vm in ((1, "1/a"), (1, "1/b"), (2, "1/b")):
        browser = Browser(daemon.port, ticket(vnc().port, user_id=user_id, user=f"u{user_id}", vm=vm))
        browser.start()
        browsers.append(browser)
    listed = [console for console in list_consoles(daemon.control) if console.vm in ("1/a", "1/b")]
    assert [(console.user, console.vm, console.open) for console in listed] == [
        ("u1", "1/a", True),
        ("u1", "1/b", True),
        ("u2", "1/b", True),
    ]
    assert listed[0].bytes_to_node == 1
    assert close_consoles(daemon.control, vm="1/b", reason="The machine was removed.") == 2
    for browser in browsers[1:]:
        code, reason = browser.wait_for_close()
        assert code == Trouble.CLOSED_BY_STAFF.code
        assert "The machine was removed." in reason
    assert close_consoles(daemon.control, user_id=1) == 1
    assert close_consoles(daemon.control, console_id="nonesuch") == 0


@pytest.mark.parametrize(
    "line",
    [b"nonsense", b"[]", b'{"do": "fly"}', b'{"do": "close"}', b'{"do": "close", "user_id": "x"}', b"\xff\xfe", b"1"],
)
def test_the_control_socket_explains_what_it_does_not_understand(daemon, line):
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(60)
        connection.connect(daemon.control)
        connection.sendall(line + b"\n" + b'{"do": "list"}\n')
        answer = b""
        while answer.count(b"\n") < 2:
            answer += connection.recv(65536)
    assert answer.startswith(b'{"error": ')
    assert b'{"consoles": ' in answer


def test_a_control_socket_that_nobody_answers(tmp_path):
    with pytest.raises(ControlError):
        list_consoles(str(tmp_path / "none.sock"))
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(tmp_path / "silent.sock"))
        silent.listen()
        with pytest.raises(ControlError):
            list_consoles(str(tmp_path / "silent.sock"), timeout_s=0.2)


def test_logs_say_who_and_how_much_and_no_secret(tmp_path, vnc):
    secret, text = "n0desecr", None
    with run_daemon(tmp_path) as daemon:
        server = vnc(password=secret)
        text = ticket(server.port, password=secret, user="alice\nforged line", browser_password="br0wsrpw")
        browser = Browser(daemon.port, text)
        browser.log_in("br0wsrpw")
        browser.write(b"\x01")
        browser.read(24)
        browser.close()
        assert server.closed.wait(60)
        Browser(daemon.port, text).wait_for_close()
        with pytest.raises(Exception, match="403"):
            Browser(daemon.port, text, origin="https://evil.example")
    log = daemon.log()
    assert "opened: user='alice\\nforged line' vm='web1.example.org'" in log
    assert "to_node=1 " in log
    for hidden in (secret, "br0wsrpw", text, text[:40]):
        assert hidden not in log


def test_it_stops_politely_and_starts_over_a_stale_socket(tmp_path, vnc):
    with run_daemon(tmp_path) as daemon:
        browser = Browser(daemon.port, ticket(vnc().port))
        browser.start()
        daemon.process.terminate()
        assert browser.wait_for_close()[0] == Trouble.SHUTTING_DOWN.code
        browser.close()
        assert daemon.process.wait(120) == 0
    with run_daemon(tmp_path) as daemon:
        daemon.process.kill()
        daemon.process.wait(120)
    with run_daemon(tmp_path) as daemon:
        assert list_consoles(daemon.control) == []


@pytest.mark.feature("F210")
def test_over_tls(tmp_path, vnc):
    certificate, key = make_certificate(tmp_path)
    with run_daemon(tmp_path, "--cert", str(certificate), "--key", str(key)) as daemon:
        context = ssl.create_default_context(cafile=str(certificate))
        context.check_hostname = False
        server = vnc(after="flood")
        browser = Browser(daemon.port, ticket(server.port), tls=context)
        assert browser.start() == (64, 48, SERVER_INIT_NAME)
        browser.read(5_000_000)
        browser.close()
        assert server.closed.wait(60)


WRONG = [
    ({"GWM_CONSOLE_KEYS": ""}, "GWM_CONSOLE_KEYS is not set"),
    ({"GWM_CONSOLE_NETWORKS": "10.0.0.0/99"}, "GWM_CONSOLE_NETWORKS"),
    ({"GWM_CONSOLE_CONTROL": "/run/" + 200 * "x"}, "GWM_CONSOLE_CONTROL: the system takes 107 bytes"),
    ({"GWM_CONSOLE_CONNECT_TIMEOUT_S": "soon"}, "GWM_CONSOLE_CONNECT_TIMEOUT_S: not a number"),
    ({"GWM_TLS_CERT": "/nonesuch", "GWM_TLS_KEY": "/nonesuch"}, "/nonesuch"),
    ({"GWM_CONSOLE_BIND": "203.0.113.1"}, "203.0.113.1"),
]


@pytest.mark.parametrize(("environment", "said"), WRONG)
def test_it_says_what_is_wrong_with_its_settings(tmp_path, environment, said):
    with pytest.raises(AssertionError, match="vncproxy: "):
        run_daemon(tmp_path, **environment).__enter__()
    assert said in (tmp_path / "log").read_text()
