"""Releases on a server, side by side: bringing one over, changing to it, and back again when it is not well."""

from __future__ import annotations

from collections.abc import Sequence
from shlex import quote

from deploy.host import HostError
from deploy.site import CERTIFICATE, CURRENT, DATA, KEPT_RELEASES, ROOT, SERVICES, SETTINGS, Site

_COMPLETE = ".complete"


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
    """Have the release run. Whether it is well is asked then; if not, the one before runs again. Raises NotWell."""
    host, release = site.host, site.release
    before = current_release(site)
    runs = all(host.ask(f"systemctl is-active {unit}") for unit in SERVICES)
    is_new = before != release.name
    causes = [what for what in ("settings", "units") if what in site.changed]
    why = release.name if is_new else ", ".join(causes) or ("" if runs else "not all of it runs")
    site.need("what runs", why, lambda: _change_over(site, before))


def _change_over(site: Site, before: str) -> None:
    where = f"{ROOT}/releases/{site.release.name}"
    said = site.host.run(manage(where, "prepare"))
    if said:
        site.say(said)
    try:
        run_release(site, site.release.name)
        ask_whether_well(site)
    except HostError as unwell:
        wrote = "journalctl -u 'gwm-*' -n 15 -o cat --no-pager || true"
        trouble = f"{unwell}\nThe newest of what it wrote (see fab prod logs):\n{site.host.run(wrote)}"
        if not before or before == site.release.name:
            raise NotWell(f"{site.release.name} is not well, and there is none to go back to.\n{trouble}") from unwell
        run_release(site, before)
        raise NotWell(f"{site.release.name} is not well; {before} runs again.\n{trouble}") from unwell
    forget_old(site)


def run_release(site: Site, name: str) -> None:
    """Make one the current one, and have everything begin anew with it. The address stays open meanwhile."""
    site.host.run(f"ln -sfn {ROOT}/releases/{name} {CURRENT}.new && mv -T {CURRENT}.new {CURRENT}")
    site.host.run(f"systemctl enable --now gwm.target && systemctl restart {' '.join(SERVICES)}")


def ask_whether_well(site: Site) -> None:
    """Ask it as a browser would, through nginx, and its command line. Raises HostError."""
    probe = f"{CURRENT}/.venv/bin/python {CURRENT}/deploy/probe.py {quote(site.name)} {CERTIFICATE} {quote(site.below)}"
    site.host.run(probe)
    site.host.run(manage(CURRENT, "check", "--deploy", "--fail-level", "WARNING"))
    for unit in SERVICES:
        if not site.host.ask(f"systemctl is-active {unit}"):
            raise HostError(f"{unit} does not run: {site.host.run(f'journalctl -u {unit} -n 20 --no-pager || true')}")


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
    run_release(site, name)
    ask_whether_well(site)
    return name


def forget_old(site: Site) -> None:
    """Delete all releases but some, and never the current one."""
    current = current_release(site)
    for name in [each for each in list_releases(site) if each != current][: -(KEPT_RELEASES - 1) or None]:
        site.host.run(f"rm -rf {ROOT}/releases/{quote(name)}")
