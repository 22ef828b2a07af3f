"""Behind nginx and behind Apache, at the root of a host and below a path: the sites of deploy/ with real servers."""

from __future__ import annotations

import http.client
import json
import re
import ssl
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from deploy import probe
from tests.browser.product import Product
from tests.up.fronts import Front, run_front
from tests.up.running import eventually
from tests.vncproxy.ends import Browser, ToyVnc, _Client, ticket

pytestmark = [
    pytest.mark.standalone,
    pytest.mark.feature("F289"),
    pytest.mark.program("nginx", "nginx-light"),
    pytest.mark.program("apache2", "apache2"),
    pytest.mark.program("curl", "curl"),
]
KEY, PASSWORD = "a console key for the sites of deploy", "a password of the sites"
#: Linux has all of 127.0.0.0/8: clients come from other addresses than the proxy, which alone is trusted
CLIENT, OTHER = "127.0.0.2", "127.0.0.3"


@pytest.fixture(scope="module")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Product]]:
    """The product below a path, started once: pytest takes the paths and the servers before them by turns."""
    with ExitStack() as running:
        known: dict[str, Product] = {}

        def start(below: str) -> Product:
            if below not in known:
                settings = {
                    "GWM_PUBLIC_URL": f"https://127.0.0.1{below}",
                    "GWM_BEHIND_PROXY": "yes",
                    "GWM_TRUSTED_PROXIES": "127.0.0.1/32",
                    "GWM_MONITORING_NETWORKS": f"{CLIENT}/32",
                    "GWM_CONSOLE_KEYS": KEY,
                    "GWM_CONSOLE_NODE_NETWORKS": "127.0.0.0/8",
                    "GWM_ADMIN_PASSWORD": PASSWORD,
                }
                data = tmp_path_factory.mktemp("up") / "data"
                known[below] = Product(data, "--no-demo", **settings).with_tables()
                running.callback(known[below].end)
                known[below].start_ready()
            return known[below]

        yield start


@pytest.fixture(scope="module", params=["", "/gwm"], ids=["root", "path"])
def served(request: pytest.FixtureRequest, serve: Callable[[str], Product]) -> tuple[Any, str]:
    below = str(request.param)
    return serve(below), below


@dataclass
class Guest:
    """A client at an address of its own, with its cookies."""

    front: Front
    below: str
    address: str = CLIENT
    cookies: dict[str, str] = field(default_factory=dict)

    @property
    def tls(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.front.certificate))

    def ask(
        self, path: str, body: str | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, dict[str, str], str]:
        origin = f"https://127.0.0.1:{self.front.tls}"
        given = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()), **(headers or {})}
        if body is not None:
            given |= {"Origin": origin, "Content-Type": "application/x-www-form-urlencoded"}
        connection = http.client.HTTPSConnection(
            "127.0.0.1", self.front.tls, context=self.tls, timeout=60, source_address=(self.address, 0)
        )
        try:
            connection.request("GET" if body is None else "POST", self.below + path, body, given)
            answer = connection.getresponse()
            for each in answer.headers.get_all("Set-Cookie") or []:
                name, _, rest = each.partition("=")
                self.cookies[name] = rest.partition(";")[0]
                assert "Secure" in each and f"Path={self.below}/" in each
            return answer.status, {key.lower(): value for key, value in answer.getheaders()}, answer.read().decode()
        finally:
            connection.close()

    def sign_in(self, password: str = PASSWORD, **headers: str) -> int:
        _status, _head, page = self.ask("/login/")
        found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
        assert found
        form = f"csrfmiddlewaretoken={found[1]}&login=admin&password={password.replace(' ', '+')}"
        return self.ask("/login/", form, headers)[0]


@pytest.fixture(scope="module", params=["nginx", "apache2"])
def front(
    request: pytest.FixtureRequest, served: tuple[Any, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Front]:
    installation, below = served
    folder = tmp_path_factory.mktemp("front") / request.param
    with run_front(request.param, folder, installation.address.partition("://")[2].partition("/")[0], below) as front:
        yield front


@pytest.fixture
def guest(front: Front, served: tuple[Any, str]) -> Guest:
    return Guest(front, served[1])


def test_pages_and_files_come_over_tls_and_http_2(guest: Guest) -> None:
    status, head, page = guest.ask("/", headers={"Accept": "text/html"})
    assert status == 302 and head["location"].startswith(f"{guest.below}/login/")
    assert guest.sign_in() == 302
    status, head, page = guest.ask("/")
    assert status == 200 and f'data-root="{guest.below}/"' in page
    assert head["strict-transport-security"] and "twisted" not in str(head).lower()
    sheet = re.findall(r'href="([^"]+\.css)"', page)[0]
    assert sheet.startswith(f"{guest.below}/static/")
    for url in (sheet, f"{guest.below}/healthz"):
        address = f"https://127.0.0.1:{guest.front.tls}{url}"
        says = ["-w", "%{http_version} %{http_code}", "-o", "/dev/null", "--cacert", str(guest.front.certificate)]
        asked = subprocess.run(["curl", "-s", "--http2", *says, address], capture_output=True, text=True, timeout=60)
        assert asked.stdout == "2 200", (url, asked.stdout, asked.stderr)


def test_plain_http_is_led_to_https(guest: Guest) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", guest.front.plain, timeout=60)
    connection.request("GET", f"{guest.below}/vms/")
    answer = connection.getresponse()
    answer.read()
    assert answer.status == 301 and str(answer.getheader("Location")).startswith("https://")
    connection.close()


@pytest.mark.parametrize("name", ["nginx", "apache2"])
def test_what_an_acme_client_shows_is_there_without_https_and_nothing_beside_it(
    served: tuple[Any, str], tmp_path: Path, name: str
) -> None:
    installation, below = served
    upstream = installation.address.partition("://")[2].partition("/")[0]
    odd = {"nginx": 301, "apache2": 404}[name]  # Apache takes no encoded slash at all
    with run_front(name, tmp_path / name, upstream, below) as front:
        shown = front.www / ".well-known/acme-challenge"
        shown.mkdir(parents=True)
        (shown / "token").write_text("proof")
        (front.www / "secret").write_text("kept")
        for path, status in (("token", 200), ("none", 404), ("../../secret", 301), ("..%2f..%2fsecret", odd)):
            url = f"http://127.0.0.1:{front.plain}/.well-known/acme-challenge/{path}"
            asked = subprocess.run(
                ["curl", "-s", "--path-as-is", "-w", "%{http_code}", url], capture_output=True, text=True, timeout=60
            )
            assert asked.stdout.endswith(str(status)), (path, asked.stdout)
            assert ("proof" in asked.stdout) == (status == 200) and "kept" not in asked.stdout


def test_an_open_page_is_told_at_once_what_changed(guest: Guest) -> None:
    assert guest.sign_in() == 302
    page = guest.ask("/journal/")[2]
    note = re.search(r'name="live-note"[^>]* content="([^"]+)"', page)
    assert note, page[:3000]

    class Signal(_Client):
        def send_header(self, keyword: str, value: str) -> None:
            super().send_header(keyword, value)
            if keyword == "Host":
                super().send_header("Cookie", f"gwm_session={guest.cookies['gwm_session']}")

    signal = Signal(guest.front.tls, guest.tls)
    signal.socket.settimeout(60)
    origin = f"https://127.0.0.1:{guest.front.tls}"
    signal.connect(f"ws://127.0.0.1:{guest.front.tls}{guest.below}/live/ws", origin=origin, protocols=["binary"])
    try:
        signal.sendmsg(note[1].encode())
        Guest(guest.front, guest.below, "127.0.0.6").sign_in("a wrong one")  # the journal says so
        assert b"page" in signal.recvmsg()
    finally:
        signal.socket.close()


def test_a_console_goes_through(guest: Guest) -> None:
    machine = ToyVnc()
    try:
        path = f"{guest.below}/console/ws"
        browser = Browser(guest.front.tls, ticket(machine.port, key=KEY), tls=guest.tls, path=path, timeout_s=60)
        assert browser.start()[:2] == (64, 48)
        browser.write(b"keys that come back")
        assert browser.read(19) == b"keys that come back"
        browser.vanish()
    finally:
        machine.close()


def test_too_large_a_body_is_refused_there(guest: Guest) -> None:
    assert guest.ask("/login/", "a" * 2_200_000)[0] == 413
    assert guest.ask("/login/", "a" * 900_000)[0] in (400, 403)  # that far it comes: there is no token in it


@pytest.mark.parametrize(
    ("forged", "address"), [("X-Forwarded-For", OTHER), ("Forwarded", "127.0.0.4"), ("X-Real-IP", "127.0.0.5")]
)
def test_who_forges_where_it_comes_from_is_not_believed(
    guest: Guest, served: tuple[Any, str], forged: str, address: str
) -> None:
    """Figures are for one address alone; and what the log says of a wrong password names the client."""
    assert guest.ask("/metrics")[0] == 200
    says = {forged: f"for={CLIENT}" if forged == "Forwarded" else CLIENT}
    liar = Guest(guest.front, guest.below, address)
    assert liar.ask("/metrics", headers=says)[0] == 404
    told = len(served[0].lines)
    assert liar.sign_in("a wrong one", **says) == 200
    line = eventually(
        lambda: next((each for each in served[0].lines[told:] if "failed attempt to sign in" in each), ""), what="log"
    )
    assert line.endswith(f"from {address}")


def test_an_answer_is_not_one_of_another_host(guest: Guest) -> None:
    """Whatever host a client says that it was led by."""
    _status, head, _page = guest.ask("/", headers={"X-Forwarded-Host": "evil.example"})
    assert "evil" not in json.dumps(head)


def test_the_check_of_a_deployment_finds_it_well(front: Front, served: tuple[Any, str]) -> None:
    installation, below = served
    browser = probe.Browser("127.0.0.1", str(front.certificate), below, front.tls)
    check = json.loads(installation.manage("check_installation", "begin"))
    assert probe.wait_until_well(lambda: probe.probe(browser)) == ""  # as a deployment waits for the first sign of life
    probe.probe_signed_in(browser, check["name"], check["password"])
    probe.probe_console(browser, check["ticket"])
    with pytest.raises(probe.Unwell, match="used already"):
        probe.probe_console(browser, check["ticket"])
    told = installation.manage("check_installation", "updates")
    assert told == "There is no cluster yet to update.\n"
    installation.manage("check_installation", "end")
    assert browser.get("/", Accept="text/html")[0] == 302, "the session has ended with the account"
    stranger = probe.Browser("127.0.0.1", str(front.certificate), below, front.tls)
    with pytest.raises(probe.Unwell, match="signing in"):
        probe.probe_signed_in(stranger, check["name"], check["password"])


def test_the_check_of_a_deployment_sees_a_proxy_that_passes_no_upgrade_on(
    served: tuple[Any, str], tmp_path: Path
) -> None:
    installation, below = served
    check = json.loads(installation.manage("check_installation", "begin"))
    upstream = installation.address.partition("://")[2].partition("/")[0]
    with run_front("nginx", tmp_path / "nginx", upstream, below, without="Upgrade $http_upgrade") as front:
        browser = probe.Browser("127.0.0.1", str(front.certificate), below, front.tls)
        probe.probe_signed_in(browser, check["name"], check["password"])
        with pytest.raises(probe.Unwell, match=r"does not stand: 426"):
            probe.probe_console(browser, check["ticket"])
    installation.manage("check_installation", "end")
