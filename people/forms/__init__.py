"""Forms of the operations on accounts, rights and roles."""

from people.forms import accounts, rights

__all__ = ["accounts", "rights"]
