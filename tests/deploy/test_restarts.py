"""PostgreSQL, Redis and nginx begin again when they were killed, where they are for the product alone."""

from __future__ import annotations

from configparser import ConfigParser

import pytest

from deploy.inventory import ALL_ROLES, Member, Role
from deploy.restarts import drop_in, remove_restarts, see_to_restarts
from deploy.settings import LOCAL_DATABASE, LOCAL_REDIS
from deploy.site import Site
from tests.deploy.recording import Remembering, site_of

_LOCAL = f"DATABASE_URL={LOCAL_DATABASE}\nREDIS_URL={LOCAL_REDIS}\n"
_ELSEWHERE = "DATABASE_URL=postgres://db/gwm\nREDIS_URL=\n"
_DATABASE = frozenset({Role.DATABASE, Role.REDIS})


def there(host: Remembering, member: Member, settings: str, *, only_checks: bool = False) -> Site:
    site = site_of(member, "a", host, alone=member.roles == ALL_ROLES, only_checks=only_checks)
    site.settings = settings
    return site


@pytest.mark.parametrize(
    ("roles", "settings", "units"),
    [
        (ALL_ROLES, _LOCAL, {"postgresql@", "redis-server", "nginx"}),
        (ALL_ROLES, _ELSEWHERE, {"nginx"}),
        (frozenset({Role.WEB, Role.WORKER}), _ELSEWHERE, {"nginx"}),
        (_DATABASE, _ELSEWHERE, {"postgresql@", "redis-server"}),
        (frozenset({Role.WORKER, Role.BEAT}), _ELSEWHERE, set()),
    ],
)
def test_what_is_there_for_the_product_begins_again(roles: frozenset[Role], settings: str, units: set[str]) -> None:
    member = Member("root@there", roles)
    host = Remembering(member, [])
    see_to_restarts(there(host, member, settings, only_checks=True))
    assert not host.files
    first = there(host, member, settings)
    see_to_restarts(first)
    assert set(host.files) == {drop_in(unit) for unit in units} and bool(first.changed) is bool(units)
    host.events.clear()
    again = there(host, member, settings)
    see_to_restarts(again)
    assert not again.changed and not host.events
    remove_restarts(again)
    assert not host.files


def test_what_is_added_says_when_and_that_it_never_stays_down_for_good() -> None:
    member = Member("root@there", ALL_ROLES)
    host = Remembering(member, [])
    see_to_restarts(there(host, member, _LOCAL))
    for path, content in host.files.items():
        added = ConfigParser()
        added.optionxform = str  # type: ignore[assignment,method-assign]
        added.read_string(content.decode())
        assert added["Unit"]["StartLimitIntervalSec"] == "0" and float(added["Service"]["RestartSec"]) > 0
        # Redis's unit says more already, which stays
        assert added["Service"].get("Restart") == (None if "redis" in path else "on-failure")


def test_who_is_for_something_else_now_has_what_it_had_taken_away() -> None:
    member = Member("root@there", _DATABASE | {Role.WEB})
    host = Remembering(member, [])
    see_to_restarts(there(host, member, _ELSEWHERE))
    see_to_restarts(there(host, Member("root@there", _DATABASE), _ELSEWHERE))
    assert set(host.files) == {drop_in("postgresql@"), drop_in("redis-server")}
