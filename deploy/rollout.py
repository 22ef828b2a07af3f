"""Releases on servers, side by side: bringing one over, changing to it, and back again when it is not well.

Of several servers each takes each step before any takes the next one; what runs changes on one after another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from shlex import quote

from deploy.handover import begin_anew
from deploy.host import HostError
from deploy.inventory import Role
from deploy.site import CERTIFICATE, CURRENT, DATA, DIRECTORY, KEPT_RELEASES, ROOT, SETTINGS, Site, units_of

_COMPLETE = ".complete"
_CHECK = "check_installation"
_SECRETS = f"{DATA}/secrets.env"
_SETTINGS_THAT_RUN = f"{ROOT}/settings-that-run"


class NotWell(HostError):
    """The release that was begun does not work there; the text says what was seen, and which one runs now."""


def bring_over(site: Site) -> None:
    """Its files, and an environment of its own with its packages. Half of one, from a killed call, is made anew."""
    host, release = site.host, site.release
    where = f"{ROOT}/releases/{release.name}"
    lacking = "" if host.ask(f"test -e {where}/{_COMPLETE}") else release.name

    def bring() -> None:
        python = host.run("python3 -c 'import platform; print(platform.python_version())'")
        machine = host.run("uname -m")
        stamp = release.stamp_of_wheels(python, machine)
        wheels = f"{ROOT}/wheels/{stamp}"
        if not host.ask(f"test -e {wheels}/{_COMPLETE}"):
            packed = host.carry(release.pack_wheels(python, machine))
            unpack = f"tar -C {wheels} --no-same-owner -xf {quote(packed)} && touch {wheels}/{_COMPLETE}"
            host.run(f"rm -rf {wheels} && mkdir -p {wheels} && {unpack}")
        packed = host.carry(release.pack())
        host.run(f"rm -rf {where} && mkdir -p {where} && tar -C {where} --no-same-owner -xzf {quote(packed)}")
        pip = f"{where}/.venv/bin/python -m pip install -qq --disable-pip-version-check --no-index"
        host.run(
            f"umask 022 && python3 -m venv {where}/.venv"
            f" && {pip} --find-links {wheels} --require-hashes -r {where}/requirements.txt"
            f" && {where}/.venv/bin/python -m compileall -q {where} -x /.venv/"
            f" && touch {where}/{_COMPLETE}"
        )

    site.need("release", lacking, bring)


def change_over(sites: Sequence[Site]) -> None:
    """Have the release run, with the units and the site of nginx that it has. Whether it is well is asked then; if not,
    the one before runs again, with its own, wherever anything was changed. Raises NotWell."""
    ours = in_order(sites)
    before = {site.host.name: current_release(site) for site in ours}
    begun: list[Site] = []
    try:
        for site in ours:
            site.see_to_units(site.release.read)
        if any(_why(site, before) for site in ours) and not ours[0].only_checks:
            _prepare(first_web(ours))
        see_to_secrets(ours)
        for site in ours:
            site.need("what runs", _why(site, before), partial(_begin, site, begun))
        if begun:
            _await_update(first_web(ours))
    except HostError as unwell:
        changed = [site for site in ours if site.changed]
        if not changed or changed[0].only_checks:
            raise
        raise _go_back(changed, before, unwell, (begun or changed)[-1]) from unwell
    for site in ours:
        if not site.only_checks:
            forget_old(site)


def in_order(sites: Sequence[Site]) -> list[Site]:
    """Those that run anything of the product, in the order in which they change: what people see comes last."""
    return sorted((site for site in sites if site.is_ours), key=lambda site: Role.WEB in site.roles)


def first_web(sites: Sequence[Site]) -> Site:
    """The one on which is done what is to be done once."""
    return next(site for site in sites if Role.WEB in site.roles)


def _why(site: Site, before: Mapping[str, str]) -> str:
    """Why what runs has to begin anew; empty: it has not."""
    if before[site.host.name] != site.release.name:
        return site.release.name
    causes = [what for what in ("settings", "secrets", "units", DIRECTORY) if what in site.changed]
    if not causes and not site.host.ask(f"sha256sum < {SETTINGS} | cmp -s - {_SETTINGS_THAT_RUN}"):
        causes = ["settings"]  # written by a call that did not come as far as to begin anything with them
    runs = all(site.host.ask(f"systemctl is-active {unit}") for unit in site.services)
    return ", ".join(causes) or ("" if runs else "not all of it runs")


def _prepare(site: Site) -> None:
    said = site.host.run(manage(f"{ROOT}/releases/{site.release.name}", "prepare"))
    if said:
        site.say(said)


def see_to_secrets(ours: Sequence[Site]) -> None:
    """All servers have those that the first web server has made, or been given since."""
    first = first_web(ours)
    if len(ours) == 1:
        return
    secrets = first.host.run(f"cat {_SECRETS} 2>/dev/null || true") + "\n"
    for site in ours:
        if site is not first:
            is_there = site.host.holds(_SECRETS, secrets.encode())
            write = partial(site.host.write, _SECRETS, secrets.encode(), mode="600", owner="gwm:gwm")
            site.need("secrets", "" if is_there else f"those of {first.host.name}", write)


def _begin(site: Site, begun: list[Site]) -> None:
    begun.append(site)
    run_release(site, site.release.name)
    _ask_one_whether_well(site)


def _go_back(sites: Sequence[Site], before: Mapping[str, str], unwell: HostError, last: Site) -> NotWell:
    """What to tell: what was seen, and which release runs now."""
    release = last.release.name
    wrote = last.host.run("journalctl -u 'gwm-*' -n 15 -o cat --no-pager || true")
    trouble = f"{unwell}\nThe newest of what it wrote (see fab prod logs):\n{wrote}"
    if not any(_can_go_back(site, before) for site in sites):
        return NotWell(f"{release} is not well, and there is none to go back to.\n{trouble}")
    told, failed = [], []
    for site in reversed(sites):
        name = before[site.host.name]
        where = "" if site.is_alone else f" on {site.host.name}"
        try:
            if not name:
                site.host.run("systemctl disable --now gwm.target; systemctl stop 'gwm-*'")
                told.append(f"nothing runs{where}")
                continue
            site.put_settings_back()
            put_back(site, name)
            told.append(f"{name} runs again{where}")
        except HostError as error:
            failed.append(f"going back to {name}{where} failed: {error}")
    words = ", and ".join([f"{release} is not well", *failed])
    return NotWell(f"{words}; {', '.join(told)}.\n{trouble}" if told else f"{words}\n{trouble}")


def _can_go_back(site: Site, before: Mapping[str, str]) -> bool:
    name = before[site.host.name]
    return bool(name) and (name != site.release.name or "settings" in site.changed)


def put_back(site: Site, name: str) -> None:
    """Have a release run that is there, with the units and the site of nginx that it has, and without later ones."""
    where = f"{ROOT}/releases/{name}"
    its = set(site.host.run(f"ls {where}/deploy/systemd").split())
    there = replace(site, changed=[], say=lambda words: None)
    there.see_to_units(
        lambda path: site.host.run(f"cat {where}/{path}") + "\n", [unit for unit in units_of(site.roles) if unit in its]
    )
    run_release(site, name)


def run_release(site: Site, name: str) -> None:
    """Make one the current one, and have everything begin anew with it, while people are at work."""
    site.host.run(f"ln -sfn {ROOT}/releases/{name} {CURRENT}.new && mv -T {CURRENT}.new {CURRENT}")
    begin_anew(site.host, site.services)
    site.host.run(f"sha256sum < {SETTINGS} > {_SETTINGS_THAT_RUN}")


def ask_whether_well(sites: Sequence[Site]) -> None:
    """Ask each server, and then all of them together for an update of a cluster. Raises HostError."""
    ours = in_order(sites)
    for site in ours:
        _ask_one_whether_well(site)
    _await_update(first_web(ours))


def _ask_one_whether_well(site: Site) -> None:
    """Ask it as a browser would, through nginx, and its command line. Raises HostError."""
    if Role.WEB in site.roles:
        probe = f"cd {CURRENT} && .venv/bin/python -m deploy.probe {quote(site.name)} {CERTIFICATE} {quote(site.below)}"
        with _checking(site) as check:
            site.host.run(f"{probe} < {quote(check)}")
    site.host.run(manage(CURRENT, "check", "--deploy", "--fail-level", "WARNING"))
    for unit in site.services:
        if not site.host.ask(f"systemctl is-active {unit}"):
            raise HostError(f"{unit} does not run: {site.host.run(f'journalctl -u {unit} -n 20 --no-pager || true')}")


def _await_update(site: Site) -> None:
    """One by timetable and worker, wherever they are. Raises HostError."""
    if _knows_checks(site):
        site.say(f"  {site.host.run(manage(CURRENT, _CHECK, 'updates'))}")


@contextmanager
def _checking(site: Site) -> Iterator[str]:
    """Where it says there who may sign in for this check, which is over afterwards, however it ended."""
    if not _knows_checks(site):
        yield "/dev/null"
        return
    end = manage(CURRENT, _CHECK, "end")
    try:
        yield site.host.carry_text(site.host.run(manage(CURRENT, _CHECK, "begin")))
    except HostError:
        site.host.ask(end)  # where that fails too, the next check ends it
        raise
    site.host.run(end)


def _knows_checks(site: Site) -> bool:
    """Whether the release that runs is none of those before this check; their probe asks for nothing."""
    return site.host.ask(f"test -e {CURRENT}/gwm/management/commands/{_CHECK}.py")


def manage(release: str, *words: str) -> str:
    """The command that runs manage.py of a release, as the user that it runs as."""
    asked = " ".join(quote(word) for word in words)
    environment = f"env GWM_CONFIG={SETTINGS} GWM_DATA_DIR={DATA}"
    return f"cd {release} && runuser -u gwm -- {environment} .venv/bin/python manage.py {asked}"


def current_release(site: Site) -> str:
    """Which one runs there; empty: none."""
    return site.host.run(f"basename $(readlink {CURRENT}) 2>/dev/null || true")


def list_releases(site: Site) -> list[str]:
    """Those that are there as a whole, in order of time."""
    found = site.host.run(f"ls -d {ROOT}/releases/*/{_COMPLETE} 2>/dev/null || true").splitlines()
    return sorted(path.split("/")[-2] for path in found)


def release_before(names: Sequence[str], current: str) -> str:
    """Which one to go back to. Raises HostError."""
    earlier = [name for name in names if name < current]
    if not earlier:
        raise HostError("There is no earlier release there to go back to.")
    return earlier[-1]


def roll_back(sites: Sequence[Site]) -> str:
    """Have the release before run again; its name. The tables stay: a release can live with those of the next."""
    ours = in_order(sites)
    everywhere = set.intersection(*(set(list_releases(site)) for site in ours))
    name = release_before(sorted(everywhere), max(current_release(site) for site in ours))
    for site in ours:
        put_back(site, name)
    ask_whether_well(ours)
    return name


def forget_old(site: Site) -> None:
    """Delete all releases but some, and never the current one."""
    current = current_release(site)
    for name in [each for each in list_releases(site) if each != current][: -(KEPT_RELEASES - 1) or None]:
        site.host.run(f"rm -rf {ROOT}/releases/{quote(name)}")
