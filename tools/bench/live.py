"""What open pages cost to which nothing happens: processor time of the web process that signals to them."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.browser.product import ADMIN, PASSWORD, Product
from tests.live.wire import Signal, Visitor
from tools.bench.rows import Row
from tools.bench.section import Order, run_section

PAGES = 500
PAGES_OF_A_SESSION = 100
WATCHED_S = 60.0
SETTLING_S = 6.0  # until the sessions of all are known


def cpu_seconds(pid: int) -> float:
    """What a process has used of a processor."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def open_pages(product: Product) -> list[Signal]:
    """Signals of that many lists of machines, by sessions of their own."""
    signals: list[Signal] = []
    for _ in range(PAGES // PAGES_OF_A_SESSION):
        visitor = Visitor(product.address, ADMIN, PASSWORD)
        note = visitor.note("/vms/")
        signals += [visitor.listen(note) for _ in range(PAGES_OF_A_SESSION)]
    return signals


def measure(_: Order) -> Iterator[Row]:
    """A minute in which nothing changes."""
    with tempfile.TemporaryDirectory(prefix="gwm-bench-") as directory:
        product = Product(Path(directory) / "data", "--no-demo", GWM_CONNECTIONS_PER_ADDRESS="1000")
        try:
            product.start_ready()
            signals = open_pages(product)
            web = product.child("gwm.processes.web")
            time.sleep(SETTLING_S)
            before, began = cpu_seconds(web), time.monotonic()
            time.sleep(WATCHED_S)
            share = (cpu_seconds(web) - before) / (time.monotonic() - began)
            connected = sum(signal.status == 101 for signal in signals)
            for signal in signals:
                signal.close()
        finally:
            product.end()
    yield Row("live.pages", "Live: idle pages with a signal", 0, connected, "", PAGES, at_least=True)
    yield Row("live.idle", "Live: processor of the web process for them", 0, 100 * share, "%", 5.0)


if __name__ == "__main__":
    run_section(measure)
