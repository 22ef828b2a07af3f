"""What Ganeti's remote API does, asked of the simulator and of a real Ganeti; where they differ the former is wrong."""
