"""A RAPI server over HTTPS with an in-memory cluster, for tests and the demo: neither Django nor the client."""

from simulator.faults import Fault
from simulator.model import Disk, Group, Instance, Network, Nic, Node
from simulator.simulator import Simulator

__all__ = ["Disk", "Fault", "Group", "Instance", "Network", "Nic", "Node", "Simulator"]
