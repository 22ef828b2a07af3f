"""`manage.py revoke USER|@TEAM VERB… --on CLUSTER[/MACHINE] --as ADMIN`: as `grant`, the other way."""

from people.management.commands.grant import Command as Grant


class Command(Grant):
    help = "Takes rights on a cluster, a machine or a team, or a role, and journals it."
    takes = True
