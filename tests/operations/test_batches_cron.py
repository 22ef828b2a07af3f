"""Batches without worker and beat: cron, which calls `sync_clusters`, carries them on."""

from pathlib import Path

import pytest

from simulator import Simulator
from tests.operations.installation import Installation
from tests.operations.test_batches_killed import Batches


@pytest.mark.standalone
@pytest.mark.feature("G050")
def test_without_a_worker_cron_carries_batches_on(tmp_path: Path) -> None:
    """Called again and again it begins what has room, follows it, and ends the batch."""
    with Simulator(nodes=1, instances=5) as simulator:
        product = Installation(tmp_path, simulator)
        batches = Batches(product)
        names = batches.plan(1, 2, 3, 4, 5)
        for _minute in range(3):
            product.sync()
            simulator.run_jobs()
        product.sync()
        batches.assert_done_once(*names)
        assert [batches.sent(name) for name in names] == [1] * 5
