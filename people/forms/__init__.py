"""Forms of the operations on rights and roles."""

from people.forms import rights

__all__ = ["rights"]
