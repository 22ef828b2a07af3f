"""Celery's timetable, which goes on when the clock is put back."""

from typing import Any

from celery.beat import PersistentScheduler

from gwm import signs


class Timetable(PersistentScheduler):  # type: ignore[misc]
    """What was last done in the future counts as done now; Celery's own would wait until that time has come again."""

    def tick(self, *args: Any, **options: Any) -> Any:
        """See the class; then as ever."""
        signs.worked()
        now = self.app.now()
        ahead = [entry for entry in self.schedule.values() if entry.last_run_at is not None and entry.last_run_at > now]
        for entry in ahead:
            entry.last_run_at = now
        if ahead:
            self._heap = None  # ordered by times that will not come for long; it is made anew
        return super().tick(*args, **options)
