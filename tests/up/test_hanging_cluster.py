"""A cluster that hangs, and the whole web process: nobody else's page waits for it."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from simulator import Simulator
from tests.up.running import ROOT, Installation, eventually

pytestmark = [pytest.mark.standalone, pytest.mark.feature("G047")]

MACHINES = 16
PAGES = (
    "/",
    "/vms/",
    "/clusters/",
    "/nodes/",
    "/jobs/",
    "/journal/",
    "/clusters/lab/",
    "/clusters/lab/vms/",
    "/healthz",
)


@pytest.fixture
def hanging() -> Iterator[Simulator]:
    with Simulator(nodes=2, instances=MACHINES) as simulator:
        yield simulator


def manage(installation: Installation, *words: str) -> str:
    environment = {**installation.environment, "GWM_DATA_DIR": str(installation.data)}
    done = subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), *words], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


SIGN_IN = (
    "from django.test import Client; from permissions.models import User; c = Client(); "
    "c.force_login(User.objects.get(username='admin')); "
    "[print('COOKIE', name, morsel.value) for name, morsel in c.cookies.items()]"
)


@pytest.fixture
def product(tmp_path: Path, hanging: Simulator) -> Iterator[Installation]:
    installation = Installation(tmp_path / "data", "--no-demo", GWM_RAPI_READ_TIMEOUT_S="600").with_tables()
    installation.start_ready()
    password = tmp_path / "password"
    password.write_text(hanging.password)
    where = [f"--host={hanging.host}", f"--port={hanging.port}", f"--fingerprint={hanging.fingerprint}"]
    manage(installation, "add_cluster", "lab", *where, f"--user={hanging.username}", f"--password-file={password}")
    manage(installation, "sync_clusters")
    yield installation
    hanging.faults.clear()
    installation.end()


def signed_in(installation: Installation) -> tuple[dict[str, str], str]:
    """The cookies of an administrator, and the token that a form of theirs carries."""
    session = requests.Session()
    for line in manage(installation, "shell", "-c", SIGN_IN).splitlines():
        word, _, rest = line.partition(" ")
        if word == "COOKIE":
            name, _, value = rest.partition(" ")
            session.cookies.set(name, value)
    answer = session.get(f"{installation.address}/clusters/lab/vms/vm1.example.org/do/shutdown/", timeout=120)
    [token] = re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', answer.text)[:1]
    return session.cookies.get_dict(), token


def test_thirteen_operations_on_a_cluster_that_hangs_hold_up_nobody(product: Installation, hanging: Simulator) -> None:
    cookies, token = signed_in(product)
    hanging.faults.add("hang", method="PUT", path="/2/instances/.*")

    def shut_down(number: int) -> tuple[int, str]:
        answer = requests.post(
            f"{product.address}/clusters/lab/vms/vm{number}.example.org/do/shutdown/",
            data={"csrfmiddlewaretoken": token, "timeout_s": "77"},
            cookies=cookies,
            timeout=600,
            allow_redirects=False,
        )
        return answer.status_code, answer.text

    with ThreadPoolExecutor(13) as pool:
        calls = [pool.submit(shut_down, number) for number in range(1, 14)]
        eventually(lambda: sum(call.done() for call in calls) >= 11, 120, "eleven answers")
        for page in PAGES:
            answer = requests.get(product.address + page, cookies=cookies, timeout=120)
            assert answer.status_code == 200, page
        refused = [call.result() for call in calls if call.done()]
        assert len(refused) == 11, "two wait still: none of these answers had to wait for them"
        for status, page in refused:
            assert status == 409
            assert "The cluster is slow to answer; 2 requests wait for it" in page
            assert 'value="77"' in page, "nothing that was typed is lost"
        assert sum(target.startswith("/2/instances/") for method, target in hanging.requests if method == "PUT") == 2
        hanging.faults.clear()
        assert {status for status, _ in (call.result() for call in calls)} == {302, 409}
    assert shut_down(14)[0] == 302, "and when it answers again, it is asked again"
