"""A clock that was an hour ahead and is put right: nothing waits until the wrong time has come again."""

from datetime import timedelta

import time_machine
from django.utils import timezone

from clusters.models import Cluster, Job, Schedule
from gwm.celery import app
from gwm.timetable import Timetable
from objectlog.models import Entry, Outcome, Via
from operations.contract import Actor, Ask
from operations.pipeline import run
from tests.factories import make_admin
from tests.updates.conftest import update
from updates.due import claim_due, claim_to_follow, select_due, select_to_follow
from updates.follower import follow_cluster
from updates.leases import updating
from virtualmachines.models import VirtualMachine
from virtualmachines.operations.power import Shutdown, ShutdownParams

VM1 = "vm1.example.org"


def test_updates_and_operations_go_on(simulator, cluster):
    with time_machine.travel(timezone.now() + timedelta(hours=1), tick=True):
        update(cluster)
        entry = run(
            Shutdown(), Ask(Actor(make_admin(), Via.CLI), VirtualMachine.objects.get(name=VM1), ShutdownParams())
        )
        update(cluster)
        Schedule.objects.update(sync_wanted_at=timezone.now())
        assert claim_due() and claim_to_follow()
        with updating(Cluster.objects.get()) as lease:  # its holder dies
            assert lease is not None
            Schedule.objects.update(sync_queued_at=timezone.now())
            held = Schedule.objects.values("leased_until", "lease_holder", "sync_queued_at").get()
        Schedule.objects.update(**held, follow_queued_at=timezone.now())
    assert select_due().exists() and select_to_follow().exists()
    simulator.run_jobs()
    follow_cluster(Cluster.objects.get())
    entry.refresh_from_db()
    assert (Job.objects.get().status, entry.outcome) == ("success", Outcome.SUCCEEDED)
    assert VirtualMachine.objects.get(name=VM1).admin_state == "down"
    simulator.outside.modify(VM1, beparams={"vcpus": 3})
    assert update(cluster).outcome == "updated"
    assert VirtualMachine.objects.get(name=VM1).vcpus == 3
    assert not select_due().exists()


def test_a_job_that_ended_in_the_wrong_hour_closes_its_entry(simulator, cluster):
    with time_machine.travel(timezone.now() + timedelta(hours=1), tick=True):
        run(Shutdown(), Ask(Actor(make_admin(), Via.CLI), VirtualMachine.objects.get(name=VM1), ShutdownParams()))
        simulator.run_jobs()
        update(cluster)
        Entry.objects.update(outcome=Outcome.SUBMITTED)  # killed before it could be closed
    follow_cluster(Cluster.objects.get())
    assert Entry.objects.get().outcome == Outcome.SUCCEEDED


def test_the_timetable_goes_on(tmp_path):
    timetable = Timetable(app=app, schedule_filename=str(tmp_path / "timetable"), lazy=True, max_interval=1)
    timetable.setup_schedule()
    now = app.now()
    for entry in timetable.schedule.values():
        entry.last_run_at = now + timedelta(hours=1)
    assert timetable.tick() <= 1
    assert all(entry.last_run_at <= app.now() for entry in timetable.schedule.values())
    soonest = min(timetable._heap)
    assert soonest.entry.is_due().next <= 3
    timetable.close()
