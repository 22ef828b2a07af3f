"""nginx and Apache in front of the product: the sites of deploy/, on ports and with a certificate of the tests."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.servers import find_program
from tests.up.running import ROOT, eventually, write_certificate
from tools.throwaway import free_port

NGINX = ROOT / "deploy" / "nginx" / "ganeti-web-manager"
APACHE = ROOT / "deploy" / "apache" / "ganeti-web-manager.conf"
MODULES = Path("/usr/lib/apache2/modules")
#: what the head of the site has one enable, and what Debian has enabled from the start
ENABLED = (
    *("mpm_event", "authz_core", "ssl", "socache_shmcb", "headers", "http2", "rewrite", "reqtimeout"),
    *("proxy", "proxy_http", "proxy_wstunnel", "alias"),
)


@dataclass(frozen=True)
class Front:
    """A server that runs, and its ports."""

    tls: int
    plain: int
    certificate: Path
    #: what it shows on its plain port without https
    www: Path


def write_nginx(folder: Path, www: Path, upstream: str, below: str) -> tuple[list[str], Front]:
    """The command that runs nginx with the site of deploy/."""
    certificate, key = write_certificate(folder)
    front = Front(free_port(), free_port(), certificate, www)
    site = NGINX.read_text().replace("server 127.0.0.1:8000;", f"server {upstream};")
    site = site.replace("listen 80;", f"listen 127.0.0.1:{front.plain};")
    site = site.replace("listen 443 ssl", f"listen 127.0.0.1:{front.tls} ssl")
    site = re.sub(r"\n +listen \[::\].*", "", site)
    site = re.sub(r"(ssl_certificate +)\S+;", rf"\1{certificate};", site)
    site = re.sub(r"(ssl_certificate_key +)\S+;", rf"\1{key};", site)
    site = site.replace("/var/www/html", str(www))
    site = site.replace("location / {", f"location {below}/ {{")
    (folder / "site").write_text(site)
    places = "".join(f"{name}_temp_path {folder}/{name};\n" for name in ("client_body", "proxy", "fastcgi", "uwsgi"))
    user = "user root;\n" if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(
        f"{user}daemon off;\npid {folder}/pid;\nerror_log stderr;\nevents {{}}\n"
        f"http {{ access_log off; {places} scgi_temp_path {folder}/scgi; include {folder}/site; }}\n"
    )
    return [str(find_program("nginx")), "-c", str(folder / "nginx.conf"), "-p", str(folder)], front


def write_apache(folder: Path, www: Path, upstream: str, below: str) -> tuple[list[str], Front]:
    """The command that runs Apache with the site of deploy/."""
    certificate, key = write_certificate(folder)
    front = Front(free_port(), free_port(), certificate, www)
    site = APACHE.read_text().replace("*:80>", f"127.0.0.1:{front.plain}>").replace("*:443>", f"127.0.0.1:{front.tls}>")
    site = site.replace('ProxyPass "/', f'ProxyPass "{below}/').replace("//127.0.0.1:8000/", f"//{upstream}{below}/")
    site = re.sub(r"(SSLCertificateFile )\S+", rf"\1{certificate}", site)
    site = re.sub(r"(SSLCertificateKeyFile )\S+", rf"\1{key}", site)
    site = site.replace("/var/www/html", str(www))
    modules = "".join(f"LoadModule {name}_module {MODULES}/mod_{name}.so\n" for name in ENABLED)
    main = (
        f"{modules}ServerRoot {folder}\nServerName 127.0.0.1\nPidFile {folder}/pid\nErrorLog /dev/stderr\n"
        f"User www-data\nGroup www-data\nDefaultRuntimeDir {folder}\n"
        f"Listen 127.0.0.1:{front.plain}\nListen 127.0.0.1:{front.tls}\n{site}"
    )
    (folder / "apache.conf").write_text(main)
    return [str(find_program("apache2")), "-f", str(folder / "apache.conf"), "-DFOREGROUND"], front


FRONTS = {"nginx": write_nginx, "apache2": write_apache}


@contextmanager
def run_front(name: str, folder: Path, upstream: str, below: str, without: str = "") -> Iterator[Front]:
    """One of them, until the end of the block; `without`: what a line of its site has that somebody has lost."""
    folder.mkdir()
    with TemporaryDirectory() as www:  # not below pytest's own, where Apache's user reads nothing
        Path(www).chmod(0o755)
        command, front = FRONTS[name](folder, Path(www), upstream, below)
        if without:
            site = (folder / "site").read_text().splitlines()
            kept = [line for line in site if without not in line]
            assert len(kept) < len(site)
            (folder / "site").write_text("\n".join(kept))
        with (folder / "log").open("wb") as log:
            server = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            eventually(lambda: (folder / "pid").exists() or server.poll() is not None, what=name)
            assert server.poll() is None, (folder / "log").read_text()
            yield front
        finally:
            server.terminate()
            server.wait(60)
