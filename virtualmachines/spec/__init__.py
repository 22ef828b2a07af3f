"""A machine as data: what a creation can say, what Ganeti reports of it, and what differs between two of them."""

from virtualmachines.spec.data import SECRETS, BadData, spec_as_data, spec_from_data
from virtualmachines.spec.difference import Difference, difference
from virtualmachines.spec.machine import Defaults, DiskSpec, NicSpec, Options, Placement, Source, VMSpec
from virtualmachines.spec.reported import read_spec
from virtualmachines.spec.requests import CannotChange, Requests, creation_of, requests_for

__all__ = [
    "SECRETS",
    "BadData",
    "CannotChange",
    "Defaults",
    "Difference",
    "DiskSpec",
    "NicSpec",
    "Options",
    "Placement",
    "Requests",
    "Source",
    "VMSpec",
    "creation_of",
    "difference",
    "read_spec",
    "requests_for",
    "spec_as_data",
    "spec_from_data",
]
