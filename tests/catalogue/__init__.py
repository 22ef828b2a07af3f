"""The catalogue of parameters against itself, against Ganeti's own constants, and against what clusters report."""
