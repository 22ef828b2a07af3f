"""What the queue's messages say is known to this release and to those before and after it."""

from gwm.celery import TIMETABLE, app

# Never change one: a message of an older process, or for one, would be thrown away.
NAMES = {
    "gwm.tasks.close_consoles_without_right",
    "gwm.tasks.follow_jobs",
    "gwm.tasks.follow_one_cluster",
    "gwm.tasks.forget_old_sessions",
    "gwm.tasks.forget_what_was_touched",
    "gwm.tasks.record_heartbeat",
    "gwm.tasks.sync_due_clusters",
    "gwm.tasks.sync_one_cluster",
    "operations.tasks.carry_on_batches",
    "operations.tasks.carry_on_lane",
    "operations.tasks.forget_old_plans",
}


def test_no_task_changes_its_name():
    app.loader.import_default_modules()
    assert {name for name in app.tasks if not name.startswith("celery.")} >= NAMES


def test_what_the_timetable_names_is_there():
    app.loader.import_default_modules()
    assert {entry["task"] for entry in TIMETABLE.values()} <= set(app.tasks)
