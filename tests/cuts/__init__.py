"""Whoever changes a cluster dies, or is cut off, at any step: nothing is done twice, and nothing is left unsaid."""
