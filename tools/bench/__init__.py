"""Measures the product against a real Ganeti and prints one table. See docs/bench.md."""
