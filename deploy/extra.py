"""What signing in with an LDAP directory takes beside a release's own packages, where a server's settings ask for it.

There are no wheels of python-ldap, as it is built for one Python and one libldap. Debian has it for its own Python,
which is what a release's environment is made of: it is linked from there, and the server needs no compiler.
"""

from __future__ import annotations

from collections.abc import Sequence
from shlex import quote

from deploy.host import HostError
from deploy.release import PackagesOf
from deploy.rollout import list_releases
from deploy.site import DIRECTORY, ROOT, Site

_BROUGHT = ".complete-ldap"
_DEBIAN = "/usr/lib/python3/dist-packages"


def bring_directory(site: Site) -> None:
    """Its packages, into the environments of the release and of those one can go back to: with a file that describes a
    directory, none of them would start without. Raises HostError."""
    if not site.takes_directory:
        return
    names = sorted({site.release.name, *list_releases(site)})
    lacking = [name for name in names if not site.host.ask(f"test -e {ROOT}/releases/{name}/{_BROUGHT}")]
    site.need(DIRECTORY, ", ".join(lacking), lambda: _bring(site, lacking))


def _bring(site: Site, names: Sequence[str]) -> None:
    host = site.host
    folder = f"{ROOT}/wheels/ldap"
    packed = host.carry(site.release.pack_wheels(*_python_of(site), PackagesOf.DIRECTORY))
    wanted = host.carry_text(site.release.list_packages(PackagesOf.DIRECTORY))
    host.run(f"rm -rf {folder} && mkdir -p {folder} && tar -C {folder} --no-same-owner -xf {quote(packed)}")
    for name in names:
        python = f"{ROOT}/releases/{name}/.venv/bin/python"
        pip = f"{python} -m pip install -qq --disable-pip-version-check --no-index --no-deps"
        host.run(f"umask 022 && {pip} --find-links {folder} --require-hashes -r {quote(wanted)}")
        host.run(link_from_debian(python))
        try:
            host.run(f"{python} -c 'import django_auth_ldap.backend, ldap'")
        except HostError as error:
            raise HostError(f"python-ldap of Debian does not fit the Python there: {error}") from error
        host.run(f"touch {ROOT}/releases/{name}/{_BROUGHT}")
    host.run(f"rm -r {folder}")


def link_from_debian(python: str, debian: str = _DEBIAN) -> str:
    """The command that shows Debian's python-ldap, and no more of what is there, to an environment's Python."""
    into = f"$({python} -c 'import sysconfig; print(sysconfig.get_path(\"platlib\"))')"
    return f'ln -sfn -t "{into}" {debian}/ldap {debian}/_ldap.*.so {debian}/ldapurl.py {debian}/ldif.py'


def _python_of(site: Site) -> tuple[str, str]:
    version = site.host.run("python3 -c 'import platform; print(platform.python_version())'")
    return version, site.host.run("uname -m")
