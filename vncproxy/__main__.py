"""``python -m vncproxy``: the console broker as a daemon of its own.

Settings come from the environment (GWM_CONSOLE_*, see ``vncproxy.settings``); the arguments say where to listen.
"""

import argparse
import os
import sys
from pathlib import Path
from typing import Any

from twisted.internet import reactor as default_reactor
from twisted.internet.error import CannotListenError
from twisted.logger import globalLogBeginner, textFileLogObserver
from twisted.protocols.tls import TLSMemoryBIOFactory
from twisted.web.pages import notFound

from vncproxy.broker import make_broker, run_with_broker
from vncproxy.client import folder_of_used
from vncproxy.connections import Connections, connections_for, raise_file_limit
from vncproxy.settings import SettingError, settings_from
from vncproxy.tls import tls_options
from vncproxy.web import console_site


def main(arguments: list[str], environment: dict[str, str], reactor: Any) -> int:
    """Run until told to stop (SIGINT, SIGTERM); the exit status."""
    options = parse(arguments, environment)
    globalLogBeginner.beginLoggingTo([textFileLogObserver(sys.stderr)], redirectStandardIO=False)
    try:
        settings = settings_from(environment | {"GWM_CONSOLE_CONTROL": options.control})
        used_in = folder_of_used(Path(options.control)) if options.control else None
        broker = make_broker(settings, reactor, used_in=used_in)
        tls = tls_options(options.cert, options.key) if options.cert else None
    except (SettingError, ValueError, OSError) as error:
        return _complain(str(error))
    connections = Connections(
        connections_for(raise_file_limit()), settings.connections_per_address, settings.trusted_proxies
    )
    nothing = notFound("Console broker", "There is nothing to see here.")
    site = console_site(broker, nothing, reactor=reactor, connections=connections)
    factory = TLSMemoryBIOFactory(tls, False, site) if tls else site

    def say() -> None:
        where = port.getHost()
        sys.stdout.write(f"Consoles at {'wss' if tls else 'ws'}://{where.host}:{where.port}/console/ws\n")
        sys.stdout.flush()

    try:
        port = reactor.listenTCP(options.port, factory, interface=options.bind)
        run_with_broker(reactor, broker, say)
    except (CannotListenError, OSError) as error:
        return _complain(str(error))
    return 0


def parse(arguments: list[str], environment: dict[str, str]) -> argparse.Namespace:
    """Arguments; each has a setting of the environment as its default."""

    def default(name: str, otherwise: str = "") -> str:
        return environment.get(name) or otherwise

    parser = argparse.ArgumentParser(prog="python -m vncproxy", description="Console broker: WebSocket to VNC.")
    parser.add_argument("--bind", default=default("GWM_CONSOLE_BIND", "127.0.0.1"), help="address to listen on")
    parser.add_argument("--port", type=int, default=default("GWM_CONSOLE_PORT", "8888"), help="port to listen on")
    parser.add_argument("--cert", default=default("GWM_TLS_CERT"), help="PEM certificate (with chain) for TLS")
    parser.add_argument("--key", default=default("GWM_TLS_KEY"), help="PEM private key for TLS")
    parser.add_argument("--control", default=default("GWM_CONSOLE_CONTROL"), help="path of the control socket")
    options = parser.parse_args(arguments)
    if bool(options.cert) != bool(options.key):
        parser.error("--cert and --key belong together")
    return options


def _complain(text: str) -> int:
    sys.stderr.write(f"vncproxy: {text}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], dict(os.environ), default_reactor))
