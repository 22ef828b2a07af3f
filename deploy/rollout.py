"""Releases on a server, side by side: bringing one over, changing to it, and back again when it is not well."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from shlex import quote

from deploy.handover import begin_anew
from deploy.host import HostError
from deploy.site import CERTIFICATE, CURRENT, DATA, DIRECTORY, KEPT_RELEASES, ROOT, SERVICES, SETTINGS, UNITS, Site

_COMPLETE = ".complete"
_CHECK = "check_installation"
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


def change_over(site: Site) -> None:
    """Have the release run, with the units and the site of nginx that it has. Whether it is well is asked then; if not,
    the one before runs again, with its own. Raises NotWell."""
    before = current_release(site)
    try:
        site.see_to_units(site.release.read)
        _see_to_running(site, before)
    except HostError as unwell:
        if site.only_checks or not site.changed:
            raise
        raise _go_back(site, before, unwell) from unwell
    if not site.only_checks:
        forget_old(site)


def _see_to_running(site: Site, before: str) -> None:
    runs = all(site.host.ask(f"systemctl is-active {unit}") for unit in SERVICES)
    causes = [what for what in ("settings", "units", DIRECTORY) if what in site.changed]
    if not causes and not site.host.ask(f"sha256sum < {SETTINGS} | cmp -s - {_SETTINGS_THAT_RUN}"):
        causes = ["settings"]  # written by a call that did not come as far as to begin anything with them
    why = (
        site.release.name
        if before != site.release.name
        else ", ".join(causes) or ("" if runs else "not all of it runs")
    )
    site.need("what runs", why, lambda: _change_over(site))


def _change_over(site: Site) -> None:
    where = f"{ROOT}/releases/{site.release.name}"
    said = site.host.run(manage(where, "prepare"))
    if said:
        site.say(said)
    run_release(site, site.release.name)
    ask_whether_well(site)


def _go_back(site: Site, before: str, unwell: HostError) -> NotWell:
    """What to tell: what was seen, and which release runs now."""
    wrote = site.host.run("journalctl -u 'gwm-*' -n 15 -o cat --no-pager || true")
    trouble = f"{unwell}\nThe newest of what it wrote (see fab prod logs):\n{wrote}"
    if not before or (before == site.release.name and "settings" not in site.changed):
        return NotWell(f"{site.release.name} is not well, and there is none to go back to.\n{trouble}")
    site.put_settings_back()
    try:
        put_back(site, before)
    except HostError as error:
        return NotWell(f"{site.release.name} is not well, and going back to {before} failed: {error}\n{trouble}")
    return NotWell(f"{site.release.name} is not well; {before} runs again.\n{trouble}")


def put_back(site: Site, name: str) -> None:
    """Have a release run that is there, with the units and the site of nginx that it has, and without later ones."""
    where = f"{ROOT}/releases/{name}"
    its = set(site.host.run(f"ls {where}/deploy/systemd").split())
    later = [unit for unit in UNITS if unit not in its]
    there = replace(site, changed=[], say=lambda words: None)
    there.see_to_units(
        lambda path: site.host.run(f"cat {where}/{path}") + "\n", [unit for unit in UNITS if unit in its]
    )
    for unit in later:
        site.host.run(f"systemctl disable --now {unit} 2>/dev/null; rm -f /etc/systemd/system/{unit}")
    site.host.run("systemctl daemon-reload")
    run_release(site, name)


def run_release(site: Site, name: str) -> None:
    """Make one the current one, and have everything begin anew with it, while people are at work."""
    site.host.run(f"ln -sfn {ROOT}/releases/{name} {CURRENT}.new && mv -T {CURRENT}.new {CURRENT}")
    begin_anew(site.host)
    site.host.run(f"sha256sum < {SETTINGS} > {_SETTINGS_THAT_RUN}")


def ask_whether_well(site: Site) -> None:
    """Ask it as a browser would, through nginx, its command line, and its worker. Raises HostError."""
    probe = f"cd {CURRENT} && .venv/bin/python -m deploy.probe {quote(site.name)} {CERTIFICATE} {quote(site.below)}"
    with _checking(site) as check:
        site.host.run(f"{probe} < {quote(check)}")
    site.host.run(manage(CURRENT, "check", "--deploy", "--fail-level", "WARNING"))
    for unit in SERVICES:
        if not site.host.ask(f"systemctl is-active {unit}"):
            raise HostError(f"{unit} does not run: {site.host.run(f'journalctl -u {unit} -n 20 --no-pager || true')}")
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


def roll_back(site: Site) -> str:
    """Have the release before run again; its name. The tables stay: a release can live with those of the next."""
    name = release_before(list_releases(site), current_release(site))
    put_back(site, name)
    ask_whether_well(site)
    return name


def forget_old(site: Site) -> None:
    """Delete all releases but some, and never the current one."""
    current = current_release(site)
    for name in [each for each in list_releases(site) if each != current][: -(KEPT_RELEASES - 1) or None]:
        site.host.run(f"rm -rf {ROOT}/releases/{quote(name)}")
