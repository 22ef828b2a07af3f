"""Having all that runs on a server begin anew with the current release, while people are at work.

Workers end what they do and go; batches stand in the database and go on with whoever comes next. Web processes go one
after another, and meanwhile one more answers on their socket: each has to be ready before the next one goes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from deploy.host import Host

# One more web process, as long as the others begin anew.
MEANWHILE = "gwm-web@meanwhile.service"
_WEB = "gwm-web@"
_LIST_WEB = "systemctl list-units --plain --no-legend --state=active 'gwm-web@*.service' | cut -d' ' -f1"


def begin_anew(host: Host, services: Sequence[str]) -> None:
    """Those that are to run on it. Raises HostError; what was not begun anew by then goes on as it was."""
    web = [unit for unit in host.run(_LIST_WEB).split() if unit != MEANWHILE]
    host.run("systemctl enable --now gwm.target")
    others = " ".join(each for each in services if not each.startswith(_WEB))
    if others:
        host.run(f"systemctl restart --no-block {others}")
    if web:
        with _one_more(host):
            for unit in web:
                host.run(f"systemctl restart {unit}")
    # waits for those that were asked to begin anew, and begins what does not run
    host.run(f"systemctl start {' '.join(services)}")


@contextmanager
def _one_more(host: Host) -> Iterator[None]:
    try:
        host.run(f"systemctl restart {MEANWHILE}")
        yield
    finally:
        host.ask(f"systemctl stop {MEANWHILE}")  # also one that could not begin, and would try again and again
