"""Which commands of the documents tests/documents runs, and where the others are run.

A command that stands in no place here is run by test_commands.py, or fails there because nobody knows how.
"""

from __future__ import annotations

from tests.documents.reading import Command

#: The documents whose commands are run, in this order, and on which installation. README.md makes the first one.
RUN = {
    "README.md": "first",
    "docs/rights.md": "rights",
    "docs/journal.md": "first",
    "docs/health.md": "first",
    "docs/backup.md": "first",
    "docs/keys.md": "first",
    "docs/lab.md": "another",
    "CONTRIBUTING.md": "host",
    "docs/install.md": "host",
    "docs/ldap.md": "host",
    "docs/upgrade.md": "host",
    "docs/themes.md": "host",
}

#: What starts the product, servers or a cluster, takes minutes, or needs what is not ours, and the tests that do it.
ELSEWHERE = {
    "./run": "tests/up/test_up.py::test_one_command_starts_everything_and_says_so_once",
    "./run test": "tests/tools/test_check.py::test_the_last_line_counts_everything",
    "./run test quick": "tests/tools/test_check.py::test_the_last_line_counts_everything",
    "./run --bind 0.0.0.0 --port 8443 --tls-cert /etc/ssl/gwm.pem --tls-key /etc/ssl/private/gwm.key": (
        "tests/up/test_up.py::test_https_with_a_certificate_of_its_own"
    ),
    "GWM_CONSOLE_KEYS=… python -m vncproxy --bind 127.0.0.1 --port 8888 --control /run/gwm/console.sock": (
        "tests/up/test_deploy.py::test_the_console_proxy_runs_alone_by_its_unit"
    ),
    "./run manage copy_database postgres:////var/run/postgresql/gwm": (
        "tests/backups/test_copying.py::test_each_row_is_there_and_the_next_one_too"
    ),
    "python3 tools/lab up demo": "tests/ganeti/test_lab.py::test_up_twice_is_up_once",
    "python -m simulator --demo --port 5080 --certificate-dir DIR --state DIR/state.json": (
        "tests/simulator/test_program.py::test_the_demo_goes_on_after_a_restart"
    ),
    "curl --insecure --user gwm:secret https://127.0.0.1:5080/2/instances": (
        "tests/simulator/test_program.py::test_the_call_that_its_readme_shows"
    ),
    "pytest tests/contract -k simulator": "tests/contract/test_reads.py::test_version_and_features",
    "pytest tests/contract -k ganeti": "tests/contract/test_reads.py::test_version_and_features",
    'curl -H "Authorization: Bearer gwm_…" https://gwm.example.org/feeds/keys/prod/web1.example.org/': (
        "tests/people/test_tokens.py::test_who_is_let_in_is_who_administers_the_machine"
    ),
    "buildah bud --format docker -f deploy/container/Containerfile -t ganeti-web-manager .": (
        "tests/deploy/test_image.py::test_there_is_code_in_it_and_nothing_of_the_checkout"
    ),
}

#: What no test runs, and why. It is looked at by hand.
BY_HAND = {
    "uv pip compile": "asks the package index for the newest releases",
    "python -m tools.bench": "measures for minutes to hours, each section tried by tests/tools",
    "podman run": "no container engine runs in the tests; tests/deploy/test_image.py starts the image as this says",
    "podman-compose": "likewise, with the parts as the file has them",
    "export GWM_DATABASE_PASSWORD=…": "of podman-compose",
}

#: what is typed in place of what the table in docs/operations.md has; of one that is not here a block has the command
IN_SENTENCES = {
    "sync_clusters [NAME…] [--json]": "sync_clusters prod --json",
    "operate VERB CLUSTER/MACHINE --as USER": "operate vm.shutdown prod/vm2.example.org --as admin",
    "operate vm.create CLUSTER --as USER --set-from spec=FILE": (
        "operate vm.create prod --as admin --set-from spec={spec}"
    ),
    "operate template.create --as USER --set name=NAME --set cluster=CLUSTER --set-from spec=FILE": (
        "operate template.create --as admin --set name=small --set cluster=prod --set-from spec={unnamed}"
    ),
    "check_counts": "check_counts",
    "prune_journal --keep-days N": "prune_journal --keep-days 730",
    "seal_journal": "seal_journal",
    "rotate_field_keys": "rotate_field_keys",
    "health [--json]": "health --json",
}


#: those of the table that need what is not here, and the tests that run them
IN_TESTS = {
    "check_directory [--sure]": (
        "tests/people/test_directory_leaving.py::test_a_directory_in_which_nobody_can_be_seen_any_more_is_not_believed"
    ),
}


def is_elsewhere(command: Command) -> bool:
    """Whether another test runs it, or nobody does, with a reason."""
    return command.text in ELSEWHERE or any(command.text.startswith(words) for words in BY_HAND)
