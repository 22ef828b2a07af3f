"""Forms of the operations on accounts, keys, rights and roles."""

from people.forms import accounts, keys, rights

__all__ = ["accounts", "keys", "rights"]
