"""The pipeline: everything that changes a cluster, or what we keep, is an operation and goes through here."""
