"""Keeping our rows in step with the clusters: who is due, the update of a cluster, following its jobs."""
