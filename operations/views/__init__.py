"""Pages of operations and batches."""
