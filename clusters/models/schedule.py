"""When a cluster is updated: what every update writes, whether or not anything has changed on the cluster."""

from django.db import models


class Schedule(models.Model):
    """The update's bookkeeping for one cluster, in a row of its own: the cluster's row is read and locked by others.

    Who is due is found here, the leases are taken here, and the times of the last readings are noted here.
    """

    cluster = models.OneToOneField(
        "clusters.Cluster", on_delete=models.CASCADE, primary_key=True, related_name="schedule"
    )

    # Who is due, and who is at it.
    next_sync_at = models.DateTimeField(null=True, blank=True, db_index=True, help_text="empty: at once")
    sync_wanted_at = models.DateTimeField(null=True, blank=True, help_text="somebody asked for an update at this time")
    sync_queued_at = models.DateTimeField(null=True, blank=True, help_text="an update was handed to the workers")
    attempted_at = models.DateTimeField(null=True, blank=True, help_text="when the last update began")
    failures = models.PositiveIntegerField(default=0, help_text="updates failed in a row")
    leased_until = models.DateTimeField(null=True, blank=True)
    lease_holder = models.CharField(max_length=64, blank=True)
    follow_queued_at = models.DateTimeField(null=True, blank=True)
    follow_leased_until = models.DateTimeField(null=True, blank=True, help_text="somebody follows its jobs")

    # When what was read.
    synced_at = models.DateTimeField(null=True, blank=True, help_text="end of the last complete update")
    live_at = models.DateTimeField(null=True, blank=True, help_text="when live state (status, memory) was last read")
    live_failed_at = models.DateTimeField(null=True, blank=True)
    configs_read_at = models.DateTimeField(null=True, blank=True, help_text="last reading of all configuration")
    operating_systems_at = models.DateTimeField(null=True, blank=True)
    exports_at = models.DateTimeField(null=True, blank=True, help_text="when exports were last asked for; empty: due")
    host_tried_at = models.DateTimeField(null=True, blank=True, help_text="when the configured host was last tried")

    # What updates asked in all. Null: nothing failed yet.
    rapi_calls = models.BigIntegerField(default=0, db_default=0, help_text="calls of all updates")
    rapi_seconds = models.FloatField(default=0.0, db_default=0.0, help_text="how long they took")
    rapi_failures = models.JSONField(null=True, blank=True, help_text="how many failed, by the kind of error")

    # The same of who followed its jobs, and of operations.
    follow_calls = models.BigIntegerField(default=0, db_default=0, help_text="calls of all who followed its jobs")
    follow_seconds = models.FloatField(default=0.0, db_default=0.0, help_text="how long they took")
    follow_failures = models.JSONField(null=True, blank=True, help_text="how many failed, by the kind of error")
    operation_calls = models.BigIntegerField(default=0, db_default=0, help_text="calls of all operations")
    operation_seconds = models.FloatField(default=0.0, db_default=0.0, help_text="how long they took")
    operation_failures = models.JSONField(null=True, blank=True, help_text="how many failed, by the kind of error")

    def __str__(self) -> str:
        return f"schedule of cluster {self.pk}"
