"""Ganeti RAPI client: requests, cryptography and the standard library; no Django.

`client.RapiClient` talks, `shapes` are what it reads, `errors` what can go wrong, `trust` whom to believe,
`features` what a cluster can do.
"""

from rapi.client import RapiClient
from rapi.paths import Dependency, JobOptions
from rapi.transport import Endpoint
from rapi.trust import Certificate, Trust, probe_certificate

__all__ = ["Certificate", "Dependency", "Endpoint", "JobOptions", "RapiClient", "Trust", "probe_certificate"]
