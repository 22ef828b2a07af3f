"""Settings of the tests: the product's own, from an environment in which nothing of the developer's counts.

`GWM_TEST_DATABASE_URL` and `GWM_TEST_REDIS_URL` choose other servers (tools/check.py starts throwaway ones).
"""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

_KEPT = {
    "GWM_TEST_BATCH_MACHINES",
    "GWM_TEST_COMPLETE",
    "GWM_TEST_DATABASE_URL",
    "GWM_TEST_MIGRATED",
    "GWM_TEST_REDIS_URL",
    "GWM_LAB_KEEP",
}
for name in list(os.environ):
    if name in {"DATABASE_URL", "REDIS_URL"} or (name.startswith("GWM_") and name not in _KEPT):
        del os.environ[name]

_directory = Path(tempfile.mkdtemp(prefix="gwm-tests-"))
atexit.register(shutil.rmtree, _directory, ignore_errors=True)
os.environ.update(
    GWM_DATA_DIR=str(_directory),
    GWM_SECRET_KEY="only-for-tests-" + "s" * 50,
    GWM_FIELD_KEYS="only-for-tests-" + "f" * 50,
    GWM_JOURNAL_KEYS="only-for-tests-" + "j" * 50,
    GWM_CONSOLE_KEYS="only-for-tests-" + "c" * 50,
    DATABASE_URL=os.environ.get("GWM_TEST_DATABASE_URL", ""),
    REDIS_URL=os.environ.get("GWM_TEST_REDIS_URL", ""),
)

from gwm.settings import *  # noqa: E402, F403
from gwm.settings import DATABASES  # noqa: E402

# In a file: threads of a test (live pages, races) need connections of their own, as in production.
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["TEST"] = {"NAME": str(_directory / "test.sqlite3")}
    # What is read without an order comes in another one than that in which it was written, as it may from any database.
    pragmas = ("journal_mode=WAL", "synchronous=OFF", "reverse_unordered_selects=ON")
    DATABASES["default"]["OPTIONS"]["init_command"] = "".join(f"PRAGMA {pragma};" for pragma in pragmas)
# Each client of a test makes its middleware anew; it need not look at every static file each time.
WHITENOISE_AUTOREFRESH = True
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
