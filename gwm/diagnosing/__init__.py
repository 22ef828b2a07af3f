"""What is attached to a report of a fault: how this installation is, without secrets and without names."""
