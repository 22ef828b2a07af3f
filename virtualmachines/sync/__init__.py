"""The update cycle's part for machines."""
