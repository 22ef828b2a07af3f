#!/usr/bin/env python3
"""Entry point: `manage.py up`, `manage.py sync_clusters`, `manage.py operate`, and Django's own commands."""

import os
import sys

from django.core.management import execute_from_command_line

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gwm.settings")
    execute_from_command_line(sys.argv)
