"""The product as browser tests meet it: `manage.py up` in a directory of its own, and commands on the same data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.browser.commands import Commands
from tests.up.running import Installation

ADMIN, PASSWORD = "admin", "correct-horse-battery"


class Product(Installation):
    """A running product with its first account and a browser's cookies for it."""

    def __init__(self, data: Path, *options: str, **environment: str) -> None:
        quick = {"GWM_ADMIN_PASSWORD": PASSWORD, "GWM_SYNC_INTERVAL_S": "5"}
        super().__init__(data, *options, **{**quick, **environment})
        self._commands = Commands({**self.environment, "GWM_DATA_DIR": str(self.data)})
        self.sessions: dict[str, Any] = {}  # a browser's storage by user name, so that each signs in once

    def manage(self, *words: str, said: str = "") -> str:
        """Run a command of manage.py on the same data; what it printed. `said` goes to its standard input."""
        code, printed, complained = self._commands.run(*words, said=said)
        assert code == 0, printed + complained
        return printed

    def end(self) -> None:
        """End it and its commands in any case."""
        try:
            self._commands.end()
        finally:
            super().end()

    def add_cluster(self, name: str, server: Any) -> None:
        """Add a cluster (a Simulator or a GanetiCluster) from the command line and read it: what seldom changes, as
        its operating systems, by the second update."""
        where = [f"--host={server.host}", f"--port={server.port}", f"--fingerprint={server.fingerprint}"]
        self.manage("add_cluster", name, *where, f"--user={server.username}", "--password-file=-", said=server.password)
        self.manage("sync_clusters", name)
        self.manage("sync_clusters", name)

    def add_person(self, name: str, password: str) -> None:
        """Make an account without any right."""
        script = (
            "from permissions.models import User\n"
            f"User.objects.create_user(username={json.dumps(name)}, password={json.dumps(password)})"
        )
        self.manage("shell", "-c", script)

    def read(self, expression: str) -> Any:
        """A value from the product's database, by an expression over Django's models; it must fit into JSON."""
        script = (
            "import json\nfrom clusters.models import *\nfrom virtualmachines.models import *\n"
            f"from objectlog.models import *\nprint(json.dumps({expression}, default=str))"
        )
        return json.loads(self.manage("shell", "--no-imports", "-v0", "-c", script).splitlines()[-1])
