"""The client of one cluster's RAPI: everything in `rapi.resources`, on one connection.

    with RapiClient([Endpoint("ganeti.example.org")], username="gwm", password=..., trust=Trust.pinned(...)) as rapi:
        info = rapi.get_info()
        job_id = rapi.startup_instance("web1.example.org", reason="gwm:5c0e...")

Reads return shapes or plain values; changes return the id of a job (an int) and demand a ``reason``.
Every method raises `rapi.errors.RapiError`; ValueError for arguments that could not be sent.
"""

from __future__ import annotations

from rapi.resources.filters import FilterCalls
from rapi.resources.groups import GroupCalls
from rapi.resources.jobs import JobCalls
from rapi.resources.lifecycle import LifecycleCalls
from rapi.resources.networks import NetworkCalls
from rapi.resources.nodes import NodeCalls
from rapi.resources.storage import StorageCalls
from rapi.resources.tags import TagCalls


class RapiClient(LifecycleCalls, StorageCalls, NodeCalls, GroupCalls, NetworkCalls, JobCalls, TagCalls, FilterCalls):
    """All of RAPI. See `rapi.caller.Caller` for the arguments."""
