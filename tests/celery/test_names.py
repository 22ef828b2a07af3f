"""What the queue's messages say is known to this release and to those before and after it."""

from gwm.celery import TIMETABLE, app
from tests.factories import make_cluster
from updates.due import claim_due

# What messages of 1.0.0a1 may say: a worker that does not know a name throws the message away. With the release after
# the next, those that are not `STANDING` may go.
NAMES = {
    "gwm.tasks.close_consoles_without_right",
    "gwm.tasks.follow_jobs",
    "gwm.tasks.follow_one_cluster",
    "gwm.tasks.forget_old_sessions",
    "gwm.tasks.forget_what_was_touched",
    "gwm.tasks.record_heartbeat",
    "gwm.tasks.sync_due_clusters",
    "gwm.tasks.sync_one_cluster",
}
# What messages of this release say: each task stands in the module that its name begins with.
STANDING = {
    *("gwm.tasks.close_consoles_without_right", "gwm.tasks.forget_old_sessions", "gwm.tasks.forget_what_was_touched"),
    *("gwm.tasks.record_heartbeat", "gwm.tasks.seal_journal"),
    *("operations.tasks.carry_on_batches", "operations.tasks.carry_on_lane", "operations.tasks.forget_old_plans"),
    *("updates.tasks.follow_jobs", "updates.tasks.follow_one_cluster"),
    *("updates.tasks.sync_due_clusters", "updates.tasks.sync_one_cluster"),
    *("virtualmachines.tasks.check_counts", "virtualmachines.tasks.fold_counts"),
}


def test_no_task_loses_its_name():
    app.loader.import_default_modules()
    assert {name for name in app.tasks if not name.startswith("celery.")} >= NAMES | STANDING


def test_tasks_stand_where_their_names_say():
    app.loader.import_default_modules()
    assert {app.tasks[name].run.__module__ + "." + app.tasks[name].run.__name__ for name in STANDING} == STANDING


def test_a_message_of_the_release_before_does_what_it_says(db):
    cluster = make_cluster()
    assert claim_due() == [cluster.pk]
    app.loader.import_default_modules()
    app.tasks["gwm.tasks.sync_one_cluster"].apply((cluster.pk,)).get()
    cluster.refresh_from_db()
    assert cluster.schedule.failures == 1 and cluster.last_error


def test_what_the_timetable_names_is_there():
    app.loader.import_default_modules()
    assert {entry["task"] for entry in TIMETABLE.values()} <= set(app.tasks)
