"""`fab prod` as a person calls it."""

from __future__ import annotations

import http.client
import os
import re
import ssl
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from urllib.parse import urlencode

from tools.directory import ADMIN, SECRET, SUFFIX, Slapd
from tools.server import Server


def clone(folder: Path, of: Path) -> Path:
    """A clone of a checkout, with its wheels."""
    subprocess.run(["git", "clone", "--quiet", str(of), str(folder)], check=True)
    (of / ".releases").mkdir(exist_ok=True)
    (folder / ".releases").symlink_to(of / ".releases")
    return folder


def sign_in(server: Server, name: str, password: str) -> int:
    """The status of the answer: 302 for who may in."""
    context = ssl._create_unverified_context()  # noqa: S323 (signed by itself, and not what is tested)
    with closing(http.client.HTTPSConnection(server.address, context=context, timeout=20)) as connection:
        connection.request("GET", "/login/", headers={"Host": server.name})
        answer = connection.getresponse()
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', answer.read().decode())
        assert token is not None
        cookies = "; ".join(each.partition(";")[0] for each in answer.headers.get_all("set-cookie", []))
        form = urlencode({"login": name, "password": password, "csrfmiddlewaretoken": token[1]})
        head = {"Host": server.name, "Cookie": cookies, "Referer": f"https://{server.name}/login/"}
        head["Content-Type"] = "application/x-www-form-urlencoded"
        connection.request("POST", "/login/", form, head)
        return connection.getresponse().status


def fill(directory: Slapd, name: str, password: str) -> None:
    """One person in a directory of nobody."""
    tree = f"dn: {SUFFIX}\nobjectClass: dcObject\nobjectClass: organization\ndc: example\no: Example\n"
    person = f"dn: uid={name},{SUFFIX}\nobjectClass: inetOrgPerson\nuid: {name}\ncn: {name}\nsn: {name}\n"
    words = ["ldapadd", "-x", "-H", directory.url, "-D", ADMIN, "-w", SECRET]
    entries = f"{tree}\n{person}userPassword: {password}\n"
    subprocess.run(words, input=entries, text=True, check=True, capture_output=True)


def describe(directory: Slapd, ca_file: str) -> str:
    """The file of settings for it, where it is led to."""
    servers, bind = f'servers = ["{directory.tls_url}"]\nca_file = "{ca_file}"', f'bind_dn = "{ADMIN}"'
    return f'{servers}\n{bind}\nbind_password = "{SECRET}"\nbase = "{SUFFIX}"\nadds_accounts = true\n'


class Fab:
    """`fab prod` in a checkout, for a server."""

    def __init__(self, checkout: Path, server: Server) -> None:
        self.checkout, self.server = checkout, server

    def __call__(self, verb: str, *words: str, fails: bool = False, **where: str) -> str:
        """`where`: options that say who signs in where, in place of the usual ones."""
        done = subprocess.run(self._command(verb, *words, **where), capture_output=True, text=True, check=False)
        assert done.returncode == int(fails), done.stdout + done.stderr
        return done.stdout + done.stderr

    def begin(self, verb: str, *words: str, **where: str) -> subprocess.Popen[str]:
        """One that goes on."""
        told = {**os.environ, "PYTHONUNBUFFERED": "1"}  # line by line
        return subprocess.Popen(
            self._command(verb, *words, **where),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=told,
        )

    def _command(self, verb: str, *words: str, **where: str) -> list[str]:
        fab = [str(Path(sys.executable).with_name("fab")), "--search-root", str(self.checkout), "prod", verb]
        there = {"host": f"root@{self.server.address}", "key": str(self.server.key)}
        there |= {"known_hosts": str(self.server.known_hosts), **where}
        words = (*(f"--{name.replace('_', '-')}={value}" for name, value in there.items() if value), *words)
        return [*fab, *words]
