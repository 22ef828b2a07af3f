"""Where the commands of the documents are run: a cluster, installations beside it, and a host that is a folder."""

from __future__ import annotations

import base64
import hashlib
import re
import shlex
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gwm.secrets import GENERATED, ensure_secrets
from simulator import Simulator
from simulator.population import add_machine
from tests.documents.host import Host, connect
from tests.documents.reading import ROOT, Command, commands_of, read_blocks
from tests.documents.table import RUN, is_elsewhere
from tests.processes.commands import PATIENCE_S, Commands, environment_of
from tests.processes.migrated import copy_migrated

_OF_LAB = "--fingerprint 3b76f9d6027241660907f690050ca689cbbbf329686f12f05f10910cae7c9dc3"
PASSWORD = "a long password of documents"
_MANAGE = {"gwm-manage", "manage.py", "./manage.py"}


class World:
    """Runs commands one after another, each where its document says."""

    def __init__(self, folder: Path, simulator: Simulator) -> None:
        self.folder, self.simulator = folder, simulator
        self.host = Host(folder / "host")
        self.places: dict[str, Commands] = {}
        self.heard: dict[str, list[str]] = {}
        add_machine(simulator.cluster, "web1.example.org", "node1.example.org", 0, 1700000000.0)
        self.words = self._list_words()
        self.place("first").manage("createcachetable")  # as prepare does
        self.place("first").manage("createsuperuser", "--noinput", "--username=admin", "--email=a@example.org")
        self.read("README.md")

    def place(self, name: str) -> Commands:
        """An installation: the tables, keys, and no row, unless it begins as a copy of the first one."""
        if name not in self.places:
            data = self.folder / name
            data.mkdir(mode=0o700)
            ensure_secrets(data / "secrets.env")
            if name == "rights":  # a cluster, administrators, and not the people of README.md
                with closing(sqlite3.connect(self.folder / "first" / "gwm.sqlite3")) as first:
                    first.execute("VACUUM INTO ?", [str(data / "gwm.sqlite3")])
                shutil.copy(self.folder / "first" / "secrets.env", data)
            else:
                copy_migrated(data / "gwm.sqlite3")
            environment = environment_of(data, GWM_BACKUP_PASSPHRASE="a passphrase of documents")
            settings = {name: value for name, value in environment.items() if name not in GENERATED}
            self.places[name] = Commands({**settings, "DJANGO_SUPERUSER_PASSWORD": PASSWORD})
        return self.places[name]

    def read(self, document: str) -> None:
        """Run what a document has, in its order."""
        if document in self.heard:
            return
        if document in BUILT_ON:
            self.read(BUILT_ON[document])
        self.heard[document] = []
        for block in read_blocks(ROOT / document):
            for command in commands_of(block):
                if not is_elsewhere(command):
                    self.heard[document].append(self.run(command))
        for where, words, answer in PROOFS.get(document, ()):
            said = self.place(where).manage(*shlex.split(words))
            assert answer in said, f"after {document}: {words}: {said}"

    def run(self, command: Command) -> str:
        """What it said. It must end well, and answer as the document shows."""
        for before in BEFORE.get(command.text, ()):
            where = WHERE.get(command.text) or RUN[command.block.document]
            self.place(where).manage(*self.translate(shlex.split(before)))
        words = shlex.split(command.text.replace("[", "").replace("]", ""))
        given = []
        while re.match(r"[A-Z_]+=", words[0]):
            given.append(words.pop(0))
        try:
            said = self._run(command, words, given)
        except AssertionError as error:
            raise AssertionError(f"{command.block}: {command.text}\n{error}") from error
        expected = re.sub(r"[0-9a-f]*…|\d+", ".+", re.escape(command.answer.strip()))
        assert re.fullmatch(expected, said.strip()) or not command.answer, f"{command.block}: {said}"
        return said

    def _run(self, command: Command, words: list[str], given: list[str]) -> str:
        where = WHERE.get(command.text) or RUN[command.block.document]
        if words[:2] == ["./run", "manage"] or words[0] in _MANAGE:
            return self.manage(where, words[1 if words[0] in _MANAGE else 2 :], INPUT.get(command.text, ""))
        if words[0] == "runuser":
            assert words[:4] == ["runuser", "-u", "gwm", "--"] and words[5:] == ["manage", "prepare"], words
            assert self.host.at(words[4]).is_file() and "gwm:" in self.host.at("/etc/passwd").read_text()
            data = dict(word.split("=", 1) for word in given)["GWM_DATA_DIR"]
            is_first = not (self.host.at(data) / "secrets.env").exists()
            if is_first:
                copy_migrated(self.host.at(data) / "gwm.sqlite3")
            return self.prepare(self.host.at(data), is_first=is_first)
        assert not given, given
        if words[0].endswith("fab"):
            return self.fab(words[1:])
        if words[:2] == ["systemctl", "start"]:
            self.place("first").unload()  # a start reads the keys as they are by then
        return self.host.run(words, command.text)

    def manage(self, where: str, words: list[str], answer: str) -> str:
        """A command of manage.py."""
        if words[0] == "prepare":
            self.place(where)
            return self.prepare(self.folder / where)
        started = self.place(where).start(*self.translate(words))
        started.stdin.write(answer)
        return started.end()

    def prepare(self, data: Path, *, is_first: bool = True) -> str:
        """What begins before the product is loaded, as a process of its own."""
        environment = environment_of(data)
        settings = {name: value for name, value in environment.items() if name not in GENERATED}
        program = [sys.executable, str(ROOT / "manage.py"), "prepare"]
        done = subprocess.run(
            program, env=settings, cwd="/", capture_output=True, text=True, timeout=PATIENCE_S, check=False
        )
        assert done.returncode == 0, done.stderr
        assert ("password" in done.stdout) == is_first, "it prints the password of admin, once"
        return done.stdout

    def fab(self, words: list[str]) -> str:
        """As far as the server that it is about: what it does there is for tests/deploy."""
        host = next(word for word in words if "@" in word)
        asked = [str(self.folder / word) if word == "FILE" else word for word in words]
        connects = connect(asked)
        assert connects == host, connects
        return f"Connects to {connects}"

    def translate(self, words: list[str]) -> list[str]:
        """What stands for something in the documents is that here."""
        found: list[str] = []
        if words[1:2] and words[1] in REQUESTS:
            words = [REQUESTS[words[1]] if word == "7" else word for word in words]
        for word in words:
            if word in self.words:
                found.extend(self.words[word])
            elif re.fullmatch(r"[\w.-]+\.(backup|jsonl|tar\.gz)", word):
                found.append(str(self.folder / word))
            elif word.startswith("/var/lib/ganeti-web-manager/"):
                found.append(str(self.folder / Path(word).name))
            else:
                found.append(word)
        return found

    def _list_words(self) -> dict[str, list[str]]:
        simulator, folder = self.simulator, self.folder
        (folder / "rapi-password").write_text(simulator.password)
        (folder / "password").write_text(PASSWORD)
        public = Ed25519PrivateKey.generate().public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
        (folder / "id_ed25519.pub").write_bytes(public + b" alice@desk\n")
        digest = hashlib.sha256(base64.b64decode(public.split()[1])).digest()
        fingerprint = base64.b64encode(digest).decode().rstrip("=")
        address = [simulator.host, "--port", str(simulator.port)]
        return {
            "ganeti.example.org": address,
            "10.198.100.100": [simulator.host],  # docs/lab.md: with a port behind it
            "5080": [str(simulator.port)],
            "AB:CD:…": [simulator.fingerprint],
            _OF_LAB.split()[1]: [simulator.fingerprint],
            "FILE": [str(folder / "rapi-password")],
            "password": [str(self.host.folder / "password")],
            "password=FILE": [f"password={folder / 'password'}"],
            "key=id_ed25519.pub": [f"key={folder / 'id_ed25519.pub'}"],
            "alice/SHA256:bbXpuKG6zhzdmnxq256TlqzFBzRl2f6OOg722cYNbU8": [f"alice/SHA256:{fingerprint}"],
            "…": [
                "--user=gwm",
                f"--password-file={folder / 'rapi-password'}",
                f"--fingerprint={simulator.fingerprint}",
            ],
            "USER": ["admin"],
            "DIR": [str(folder / "nightly")],
        }


#: which of the requests made before is meant
REQUESTS = {"request.approve": "1", "request.decline": "2", "request.withdraw": "3"}

#: what a command asks whoever types it
INPUT = dict.fromkeys(("./run manage add_user alice", "manage.py rescue_admin alice"), f"{PASSWORD}\n{PASSWORD}\n")

#: whose installation is another document's
BUILT_ON = {"docs/lab.md": "docs/backup.md", "docs/upgrade.md": "docs/install.md"}

#: "another installation", "where nothing is installed yet"
WHERE = {
    "./run manage prepare": "restored",
    "./run manage restore gwm.backup": "restored",
    "./run manage add_cluster prod --host ganeti.example.org …": "another",
    "./run manage import_cluster prod.jsonl prod --as USER --check": "another",
    "./run manage import_cluster prod.jsonl prod --as USER": "another",
}

#: what came of a document's commands
_MAY = ("explain alice power prod/web1.example.org", "alice may")
PROOFS = {
    "README.md": [("first", *_MAY)],
    "docs/backup.md": [("restored", *_MAY), ("another", *_MAY)],
    "docs/keys.md": [("first", "verify_journal", "as it was written")],
}

#: what a document takes for granted
BEFORE: dict[str, tuple[str, ...]] = {
    "./run manage add_cluster prod --host ganeti.example.org …": (
        "createsuperuser --noinput --username=admin --email=admin@example.org",
        "operate person.add --set username=alice --set-from password=FILE --as admin",
    ),
    f"./manage.py add_cluster demo --host 10.198.100.100 --port 5080 --user gwm --password-file password {_OF_LAB}": (
        "operate cluster.remove prod --as admin",  # it is the same cluster
    ),
    "./run manage import_cluster prod.jsonl prod --as USER --check": ("sync_clusters",),
    "manage.py operate person.add --set username=alice --set-from password=FILE --as root": (
        "createsuperuser --noinput --username=root --email=root@example.org",
        "operate person.delete alice --as root",
    ),
    "./run manage verify_journal": ("seal_journal",),
    "manage.py grant erik --role auditor --on everything --as root": (
        "operate person.add --set username=erik --set-from password=FILE --as root",
    ),
    "manage.py operate role.delete porter --as root": ("role porter vm.power --as root",),
    "manage.py operate request.withdraw 7 --as alice": (
        'operate request.ask-machine --set memory_mib="4 GiB" --set disk_mib="40 GiB" --set vcpus=2 '
        '--set reason="Another" --as alice',
    ),
}
