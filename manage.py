#!/usr/bin/env python3
"""Entry point: `manage.py up`, `manage.py sync_clusters`, `manage.py operate`, and Django's own commands."""

import os
import sys

from django import get_version
from django.core.management import execute_from_command_line

from gwm import VERSION
from gwm.config import SettingError, take_data_option
from gwm.outages import tell_operator
from gwm.secrets import prepare_data_dir

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gwm.settings")
    take_data_option(sys.argv)
    if sys.argv[1:] in (["version"], ["--version"]):
        sys.stdout.write(f"Ganeti Web Manager {VERSION}, Django {get_version()}\n")
        sys.exit()
    try:
        if sys.argv[1:2] in (["up"], ["prepare"]) and not {"-h", "--help"} & set(sys.argv):
            prepare_data_dir(os.environ)  # settings read the secrets it generates
        execute_from_command_line(sys.argv)
    except KeyboardInterrupt:
        sys.exit(130)
    except SettingError as error:
        sys.exit(f"Wrong setting: {error}")
    except Exception as error:
        told = None if "--traceback" in sys.argv else tell_operator(error)
        if told is None:
            raise
        sys.exit(told)
