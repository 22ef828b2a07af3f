"""Forms of the clusters app."""
