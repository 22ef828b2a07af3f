"""The processes of `manage.py up`: the supervisor, and what its children run."""
