"""In which order several servers change, and that they go back together, with servers that only remember."""

from __future__ import annotations

from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deploy.host import HostError
from deploy.inventory import ALL_ROLES, Member, Role
from deploy.removal import remove_release
from deploy.rollout import NotWell, change_over, roll_back
from deploy.site import SETTINGS, UNITS, Site
from tests.deploy.recording import SECRETS, Remembering, site_of

DATABASE = Member("root@db", frozenset({Role.DATABASE, Role.REDIS, Role.BEAT}))
WEB1 = Member("root@web1", frozenset({Role.WEB, Role.WORKER}))
WEB2 = Member("root@web2", frozenset({Role.WEB, Role.WORKER, Role.CONSOLE}))
THREE = (WEB1, WEB2, DATABASE)


class Installation:
    """Some servers, and releases that come to all of them."""

    def __init__(self, members: tuple[Member, ...]) -> None:
        self.members, self.events = members, list[tuple[str, str]]()
        self.hosts = {member.name: Remembering(member, self.events) for member in members}

    def sites(self, release: str, *, only_checks: bool = False) -> list[Site]:
        alone = len(self.members) == 1
        return [
            site_of(member, release, self.hosts[member.name], alone=alone, only_checks=only_checks)
            for member in self.members
        ]

    def deploy(self, release: str, *, only_checks: bool = False) -> list[Site]:
        self.events.clear()
        found = self.sites(release, only_checks=only_checks)
        for site in found:
            if site.is_ours:
                if not only_checks:
                    self.hosts[site.host.name].releases.add(release)
                wanted = (site.settings or "").encode()
                is_there = site.host.holds(SETTINGS, wanted)
                site.need("settings", "" if is_there else SETTINGS, partial(site.host.write, SETTINGS, wanted))
        change_over(found)
        return found

    def steps(self) -> list[tuple[str, str]]:
        return [(name, what) for name, what in self.events if not what.startswith("write")]


def test_the_tables_come_first_and_what_people_see_last_each_asked_before_the_next() -> None:
    there = Installation(THREE)
    there.deploy("a")
    assert there.steps() == [
        ("web1", "prepare"),
        ("db", "begin a"),
        ("web1", "begin a"),
        ("web1", "probe"),
        ("web2", "begin a"),
        ("web2", "probe"),
        ("web1", "updates"),
    ]
    written = [name for name, what in there.events if what == "write secrets.env"]
    assert sorted(written) == ["db", "web2"] and len({host.files[SECRETS] for host in there.hosts.values()}) == 1
    before = there.events.index(("web1", "prepare"))
    units = [at for at, (_name, what) in enumerate(there.events) if "gwm-" in what and what.startswith("write")]
    assert units and max(units) < before, "units everywhere before the tables"


def test_a_second_time_does_nothing_anywhere() -> None:
    there = Installation(THREE)
    there.deploy("a")
    found = there.deploy("a")
    assert there.events == [] and not any(site.changed for site in found)


@pytest.mark.parametrize("name", ["web1", "db"])
def test_who_is_taken_off_is_told_of_a_site_and_a_certificate_where_there_were_some(name: str) -> None:
    there = Installation(THREE)
    there.deploy("a")
    found, told = there.sites("a"), list[str]()
    for site in found:
        if site.host.name == name:
            site.say = told.append
    remove_release(found, "gwm.example.org")
    said = [what for what in ("site of nginx", "certificate and key") if any(what in line for line in told)]
    assert said == (["site of nginx", "certificate and key"] if name == "web1" else [])
    assert any("password in /etc/ganeti-web-manager.redis" in line for line in told) is (name == "db")


def test_a_check_does_nothing_anywhere_and_says_what_would_be_done() -> None:
    there = Installation(THREE)
    found = there.deploy("a", only_checks=True)
    assert there.events == [] and all("what runs" in site.changed for site in found)


def test_other_secrets_of_the_first_go_to_all_and_are_begun_with() -> None:
    there = Installation(THREE)
    there.deploy("a")
    there.hosts["web1"].files[SECRETS] = b"GWM_SECRET_KEY=y\n"
    there.deploy("a")
    assert {host.files[SECRETS] for host in there.hosts.values()} == {b"GWM_SECRET_KEY=y\n"}
    assert ("web2", "begin a") in there.events and ("db", "begin a") in there.events


def test_one_that_is_not_well_takes_all_back_and_each_is_told() -> None:
    there = Installation(THREE)
    there.deploy("a")
    there.hosts["web2"].unwell = "b"
    with pytest.raises(NotWell) as told:
        there.deploy("b")
    for host in there.hosts.values():
        assert host.current == "a" and f"a runs again on {host.name}" in str(told.value)
    assert "web2 is not well" in str(told.value)
    begun = [(name, what) for name, what in there.steps() if what == "begin a"]
    assert begun == [("web2", "begin a"), ("web1", "begin a"), ("db", "begin a")], "in reverse"


def test_one_that_is_new_and_not_well_is_stopped_and_the_others_go_back() -> None:
    there = Installation((WEB1, DATABASE))
    there.deploy("a")
    there.members = THREE
    there.hosts["web2"] = Remembering(WEB2, there.events, unwell="b")
    with pytest.raises(NotWell, match="nothing runs on web2"):
        there.deploy("b")
    assert there.hosts["web1"].current == there.hosts["db"].current == "a" and not there.hosts["web2"].active


def test_where_there_is_none_to_go_back_to_that_is_said() -> None:
    there = Installation(THREE)
    there.hosts["web1"].unwell = "a"
    with pytest.raises(NotWell, match="none to go back to"):
        there.deploy("a")


def test_what_was_killed_between_two_is_ended_by_the_next_call() -> None:
    there = Installation(THREE)
    there.deploy("a")
    there.hosts["db"].current = "b"  # where it was killed
    there.deploy("b")
    assert {host.current for host in there.hosts.values()} == {"b"}


def test_all_go_back_to_the_newest_earlier_release_that_all_have() -> None:
    there = Installation(THREE)
    for release in ("a", "b", "c"):
        there.deploy(release)
    there.hosts["web2"].releases.discard("b")
    assert roll_back(there.sites("c")) == "a"
    assert {host.current for host in there.hosts.values()} == {"a"}
    with pytest.raises(HostError, match="no earlier release"):
        roll_back(there.sites("c"))


ROLES = st.lists(
    st.frozensets(st.sampled_from([Role.WORKER, Role.BEAT, Role.CONSOLE, Role.DATABASE, Role.REDIS])), max_size=4
)


@settings(max_examples=25, deadline=None)
@given(ROLES)
def test_each_service_runs_on_just_the_servers_for_it_whatever_they_were_before(roles: list[frozenset[Role]]) -> None:
    there = Installation((Member("h", ALL_ROLES), *(Member(f"h{at}", ALL_ROLES) for at, _each in enumerate(roles))))
    there.deploy("a")
    there.members = (Member("h", ALL_ROLES), *(Member(f"h{at}", each) for at, each in enumerate(roles)))
    there.deploy("b")
    for member in there.members[1:]:
        files = there.hosts[member.name].files
        here = {unit for unit in UNITS if f"/etc/systemd/system/{unit}" in files}
        if member.is_ours:
            assert ("gwm-worker.service" in here) is (Role.WORKER in member.roles)
            assert ("gwm-beat.service" in here) is ("gwm-backup.timer" in here) is (Role.BEAT in member.roles)
            assert ("gwm-web@.service" in here) is (Role.WEB in member.roles)
