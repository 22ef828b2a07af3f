"""Pages of clusters, nodes and jobs."""
