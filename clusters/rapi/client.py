"""The client of one cluster's RAPI: everything in `clusters.rapi.resources`, on one connection.

    with RapiClient([Endpoint("ganeti.example.org")], username="gwm", password=..., trust=Trust.pinned(...)) as rapi:
        info = rapi.get_info()
        job_id = rapi.startup_instance("web1.example.org", reason="gwm:5c0e...")

Reads return shapes or plain values; changes return the id of a job (an int) and demand a ``reason``.
Every method raises `clusters.rapi.errors.RapiError`; ValueError for arguments that could not be sent.
"""

from __future__ import annotations

from clusters.rapi.resources.instances import InstanceCalls
from clusters.rapi.resources.jobs import JobCalls


class RapiClient(InstanceCalls, JobCalls):
    """All of RAPI. See `clusters.rapi.caller.Caller` for the arguments."""
