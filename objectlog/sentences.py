"""From a verb to a sentence: one table, so that a page, the API and the command line say the same."""

SENTENCES: dict[str, str] = {
    "start": "started {target}",
    "shutdown": "shut down {target}",
    "shutdown-now": "forced {target} off",
    "reboot": "rebooted {target}",
    "console": "opened the console of {target}",
    "cancel": "cancelled {target}",
    "clear": "cleared the failure of {target}",
    "refresh": "asked for an update of {target}",
    "add-cluster": "added the cluster {target}",
    "edit-cluster": "changed the settings of the cluster {target}",
    "use-address": "took over the address at which the cluster {target} answers",
    "remove-cluster": "removed the cluster {target} from here",
    "forget": "forgot {target}",
    "forget-node": "forgot the node {target}",
    "grant": "gave rights on {target}",
    "revoke": "took rights on {target}",
    "change-password": "changed the password of {target}",
}


def describe(verb: str, target_name: str) -> str:
    """What was done, without its subject; KeyError for a verb without a sentence (a test finds these)."""
    return SENTENCES[verb].format(target=target_name)
