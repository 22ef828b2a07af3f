"""Run a simulated cluster: python -m simulator --demo --port 5080 --certificate-dir DIR --state FILE

When it is ready it writes one line of JSON to standard output: host, port, fingerprint, username and the consoles'
password. It ends on SIGTERM, SIGINT or when its standard input closes (with --with-parent).
"""

import argparse
import json
import signal
import sys
import threading
from pathlib import Path
from types import FrameType

from simulator.certificate import kept_certificate, local_certificate
from simulator.cluster import FIRST_NETWORK_PORT, Cluster
from simulator.consoles import VNC_PASSWORD, Consoles, claim_ports
from simulator.demo import build_demo, move_console_ports
from simulator.demo_activity import Activity
from simulator.job import Job
from simulator.population import populate
from simulator.simulator import Simulator
from simulator.state import StateError, load, save, to_json

SAVE_INTERVAL = 3.0  # seconds


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m simulator", description=__doc__)
    parser.add_argument("--bind", default="127.0.0.1", help="address to listen on (default %(default)s)")
    parser.add_argument("--port", type=int, default=5080, help="0 picks a free one (default %(default)s)")
    parser.add_argument("--certificate-dir", type=Path, help="where the certificate is kept; made at the first start")
    parser.add_argument("--state", type=Path, help="file that keeps the cluster between starts")
    parser.add_argument("--demo", action="store_true", help="some thirty machines in all states, with consoles")
    parser.add_argument("--instances", type=int, default=0, help="without --demo: so many running machines")
    parser.add_argument("--nodes", type=int, default=2, help="without --demo: so many nodes")
    parser.add_argument("--name", default="demo.example.org", help="name of the cluster (default %(default)s)")
    parser.add_argument("--speed", type=float, default=1.0, help="how many times as fast as real jobs run")
    parser.add_argument("--username", default=Simulator.username)
    parser.add_argument("--password-file", type=Path, help="file with the password; otherwise it is 'secret'")
    parser.add_argument(
        "--console-port",
        type=int,
        default=FIRST_NETWORK_PORT,
        help="where to look for VNC ports for the demo's machines (default %(default)s)",
    )
    parser.add_argument("--no-consoles", action="store_true", help="do not open VNC ports")
    parser.add_argument("--quiet", action="store_true", help="no jobs of its own now and then")
    parser.add_argument("--with-parent", action="store_true", help="end when standard input is closed")
    return parser.parse_args(arguments)


def make_simulator(options: argparse.Namespace, console_port: int) -> Simulator:
    jobs: dict[int, Job] = {}
    last_id = 0
    if options.state and options.state.exists():
        cluster, jobs, last_id = load(options.state)
        if options.demo:
            move_console_ports(cluster, console_port)
    elif options.demo:
        cluster, jobs, last_id = build_demo(options.name, console_port)
    else:
        cluster = Cluster(options.name)
        populate(cluster, nodes=options.nodes, instances=options.instances)
    certificate = kept_certificate(options.certificate_dir) if options.certificate_dir else local_certificate()
    simulator = Simulator(cluster, host=options.bind, port=options.port, certificate=certificate, speed=options.speed)
    simulator.queue.jobs, simulator.queue.last_id = jobs, last_id
    if options.username != simulator.username or options.password_file:
        password = options.password_file.read_text().strip() if options.password_file else simulator.password
        simulator.set_account(options.username, password)
    return simulator


def announce(simulator: Simulator) -> None:
    facts = {
        "host": simulator.host,
        "port": simulator.port,
        "fingerprint": simulator.fingerprint,
        "username": simulator.username,
        "vnc_password": VNC_PASSWORD,
    }
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()


def keep_state(simulator: Simulator, path: Path, stop: threading.Event) -> None:
    """Write the state whenever it has changed, and once more at the end."""
    written = ""
    while True:
        stopping = stop.wait(SAVE_INTERVAL)
        with simulator.cluster.lock:
            text = to_json(simulator.cluster, simulator.queue)
        if text != written:
            save(text, path)
            written = text
        if stopping:
            return


def stop_with_parent(stop: threading.Event) -> None:
    sys.stdin.buffer.read()
    stop.set()


def main(arguments: list[str] | None = None) -> int:
    options = parse_arguments(arguments)
    stop = threading.Event()

    def on_signal(number: int, frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, on_signal)
    console_port, claim = claim_ports(options.console_port) if options.demo else (options.console_port, None)
    try:
        simulator = make_simulator(options, console_port)
    except (StateError, OSError) as error:
        sys.stderr.write(f"simulator: {error}\n")
        return 1
    if options.with_parent:
        threading.Thread(target=stop_with_parent, args=(stop,), daemon=True).start()
    consoles = None if options.no_consoles else Consoles(simulator.cluster)
    activity = Activity(simulator) if options.demo and not options.quiet else None
    with simulator:
        if consoles:
            consoles.start()
        if activity:
            activity.start()
        announce(simulator)
        if options.state:
            keep_state(simulator, options.state, stop)
        else:
            stop.wait()
        if activity:
            activity.stop()
        if consoles:
            consoles.stop()
    if claim is not None:
        claim.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
