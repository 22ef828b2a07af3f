"""The broker as its own process, and the console's page with a browser, for tests over the loopback."""

import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlencode

import pytest
from playwright.sync_api import expect

from tests.browser.messages import write_down_messages
from tests.browser.waiting import PATIENCE_MS
from tests.vncproxy.ends import KEY, Browser, ToyVnc

ROOT = Path(__file__).resolve().parents[2]
expect.set_options(timeout=PATIENCE_MS)


class Daemon:
    """``python -m vncproxy`` on a free port; ``log()`` is what it wrote."""

    def __init__(self, directory, *arguments, **environment):
        self.control = str(directory / "control.sock")
        self._log = directory / "log"
        known = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        settings = {
            "GWM_CONSOLE_KEYS": KEY,
            "GWM_CONSOLE_CONTROL": self.control,
            "GWM_CONSOLE_NODE_NETWORKS": "127.0.0.0/8",
            "PYTHONPATH": str(ROOT),
        }
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "vncproxy", "--port", "0", *arguments],
                env=known | settings | environment,
                stdout=subprocess.PIPE,
                stderr=log,
                cwd=directory,
                text=True,
            )
        line = self.process.stdout.readline()
        if "/console/ws" not in line:
            self.stop()
            raise AssertionError(self.log())
        self.port = int(line.rsplit(":", 1)[1].split("/")[0])

    def log(self):
        return self._log.read_text()

    def memory_mb(self):
        """Resident memory in MB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) / 1024

    def stop(self):
        self.process.terminate()
        code = self.process.wait(120)
        self.process.stdout.close()
        return code


def make_certificate(directory):
    """Files of a certificate of its own making and its key."""
    certificate, key = directory / "cert.pem", directory / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    subprocess.run([*command, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    return certificate, key


@contextmanager
def run_daemon(directory, *arguments, **environment):
    daemon = Daemon(directory, *arguments, **environment)
    try:
        yield daemon
    finally:
        daemon.stop()


@pytest.fixture(scope="module")
def daemon(tmp_path_factory):
    with run_daemon(tmp_path_factory.mktemp("broker"), GWM_CONSOLE_HANDSHAKE_TIMEOUT_S="600") as running:
        yield running


@pytest.fixture(autouse=True)
def close_browsers():
    yield
    while Browser.opened:
        Browser.opened.pop().close()


@pytest.fixture
def vnc():
    """Makes toy VNC servers that end with the test."""
    servers = []

    def make(**kind):
        servers.append(ToyVnc(**kind))
        return servers[-1]

    yield make
    for server in servers:
        server.close()


@contextmanager
def serve(directory, **environment):
    control = str(directory / "control.sock")
    known = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    environment |= known | {"DJANGO_SETTINGS_MODULE": "tests.settings", "CONTROL": control}
    command = [sys.executable, "-m", "tests.vncproxy.page_server"]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as server:
        yield SimpleNamespace(url=server.stdout.readline().strip(), control=control)
        server.terminate()


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with serve(tmp_path_factory.mktemp("site")) as served:
        yield served


@pytest.fixture
def console(chromium, site):
    """A page on which the content policy and the scripts may not complain."""
    context = chromium.new_context(viewport={"width": 1280, "height": 860})
    write_down_messages(context)
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    complaints = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: "Content Security" in said.text and complaints.append(said.text))

    def tell(what, **values):
        return context.request.post(f"{site.url}{what}?{urlencode(values)}").json()

    def show(path="", **target):
        tell("fault")
        tell("target", **({"host": "127.0.0.1"} | target))
        page.goto(site.url + path)
        return page

    yield SimpleNamespace(show=show, tell=tell, context=context, control=site.control, url=site.url)
    context.close()
    assert complaints == []
