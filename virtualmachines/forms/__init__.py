"""Forms of the virtualmachines app."""
