"""Bringing a release to a server and keeping it there: what `fab prod` does."""
