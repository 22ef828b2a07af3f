"""Forms of the operations on accounts, keys, teams, quotas, rights, tokens and roles."""

from people.forms import accounts, keys, quotas, rights, teams, tokens

__all__ = ["accounts", "keys", "quotas", "rights", "teams", "tokens"]
