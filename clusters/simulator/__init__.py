"""A RAPI server over HTTPS with an in-memory cluster, for tests and the demo: neither Django nor the client."""

from clusters.simulator.faults import Fault
from clusters.simulator.model import Disk, Group, Instance, Network, Nic, Node
from clusters.simulator.simulator import Simulator

__all__ = ["Disk", "Fault", "Group", "Instance", "Network", "Nic", "Node", "Simulator"]
