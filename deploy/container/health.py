"""Whether the web process of this container answers: the health check of the image."""

from __future__ import annotations

import os
import ssl
import sys
import urllib.request

if __name__ == "__main__":
    scheme = "https" if os.environ.get("GWM_TLS_CERT") else "http"
    address = f"{scheme}://127.0.0.1:{os.environ.get('GWM_PORT') or '8000'}/healthz"
    # Whoever answers at this port of this container's own is the one that is meant, whatever name its certificate has.
    unverified = ssl._create_unverified_context()  # noqa: S323
    try:
        with urllib.request.urlopen(address, timeout=5, context=unverified) as answer:  # noqa: S310
            sys.exit(answer.status != 200)
    except OSError as error:
        sys.exit(f"{address}: {error}")
