"""Forms of the operations on accounts, keys, teams, quotas, requests, rights, tokens and roles."""

from people.forms import accounts, keys, quotas, requests, rights, roles, teams, tokens

__all__ = ["accounts", "keys", "quotas", "requests", "rights", "roles", "teams", "tokens"]
