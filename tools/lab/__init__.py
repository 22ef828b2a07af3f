"""A real Ganeti on one Debian machine: every node a set of namespaces with a root of its own. See docs/lab.md."""
