"""Forms of the operations on accounts, keys, rights, tokens and roles."""

from people.forms import accounts, keys, rights

__all__ = ["accounts", "keys", "rights", "tokens"]
