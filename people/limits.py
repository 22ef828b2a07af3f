"""How often what may be tried; allauth counts it. Knows nothing of Django, as its settings read it."""

import unicodedata
from dataclasses import dataclass


@dataclass(frozen=True)
class Limit:
    """So many failed attempts within so many seconds; `action` names it for allauth."""

    action: str
    amount: int
    within_s: int
    per: str

    def __str__(self) -> str:
        return f"{self.amount}/{self.within_s}s/{self.per}"


BY_ADDRESS = Limit("login_failed_by_address", 10, 300, "ip")
BY_ACCOUNT_THERE = Limit("login_failed_there", 5, 300, "key")
BY_ACCOUNT = Limit("login_failed_anywhere", 50, 3600, "key")
BY_SECOND_FACTOR = Limit("second_factor_failed", 5, 300, "key")
BY_SECOND_FACTOR_A_DAY = Limit("second_factor_failed_a_day", 50, 86400, "key")
_COUNTED = (BY_ADDRESS, BY_ACCOUNT_THERE, BY_ACCOUNT, BY_SECOND_FACTOR, BY_SECOND_FACTOR_A_DAY)
RATE_LIMITS: dict[str, str] = {
    "login": "60/m/ip",
    "change_password": "5/m/user",
    "reauthenticate": "10/m/user",
    "openid": "30/m/ip",
    "register": "20/m/ip,3/900s/key",
    "make_account": "20/m/ip",
    "reset_password": "20/m/ip,3/900s/key",  # the key is the address to which a mail would go
    "reset_password_from_key": "20/m/ip",
    **{limit.action: str(limit) for limit in _COUNTED},
}


def name_to_count(username: str) -> str:
    """One spelling for what may be the same account in some database."""
    return unicodedata.normalize("NFKC", username).casefold()
