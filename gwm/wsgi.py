"""WSGI entry point, for gunicorn and for `manage.py up`."""

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from clusters.bulkhead import limit_web_process

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gwm.settings")
application = get_wsgi_application()
limit_web_process(settings.GWM_WEB_THREADS)
