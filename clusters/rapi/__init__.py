"""Ganeti RAPI client: requests and the standard library; no Django.

`client.RapiClient` talks, `shapes` are what it reads, `errors` what can go wrong, `trust` whom to believe,
`features` what a cluster can do.
"""

from clusters.rapi.client import RapiClient
from clusters.rapi.paths import Dependency, JobOptions
from clusters.rapi.transport import Endpoint
from clusters.rapi.trust import Certificate, Trust, probe_certificate

__all__ = ["Certificate", "Dependency", "Endpoint", "JobOptions", "RapiClient", "Trust", "probe_certificate"]
