"""The console's page with its broker and nothing else of the product: ``python -m tests.vncproxy.page_server``.

Serves the real templates, scripts and content policy, hands out tickets for a VNC server, and says its address in one
line. ``POST /target?host=…&port=…`` says where that server is, ``POST /fault?error=…&status=…`` makes tickets fail.
"""

import json
import os
import sys
import time
from types import SimpleNamespace

import django
from django.conf import settings
from django.template import engines
from django.templatetags.static import static
from django.test import RequestFactory
from twisted.internet import reactor
from twisted.protocols.tls import TLSMemoryBIOFactory
from twisted.web.resource import Resource
from twisted.web.static import File

from tests.vncproxy.ends import KEY, PASSWORD, ticket
from vncproxy.broker import make_broker
from vncproxy.settings import settings_from
from vncproxy.tls import tls_options
from vncproxy.web import console_site

BUTTON = SimpleNamespace(
    name="reboot", label="Reboot", url="/reboot", icon="restart", style="", allowed=True, reason="", is_page=False
)
PAGE = """{% extends "base.html" %}{% load static %}
{% block head %}<link rel="stylesheet" href="{% static "css/console.css" %}">
<script src="{% static "js/console.js" %}" type="module"></script>{% endblock %}
{% block content %}{% include "virtualmachines/_console.html" %}{% endblock %}"""
CONFIRM = "<form id=confirm method=post action=/{word}><h2>{label}?</h2><button type=submit>{label}</button></form>"
DONE = "<div id=toasts><div class='toast is-success'><p>{label} of web1 is under way.</p></div></div>"


class Page(Resource):
    isLeaf = True

    def __init__(self):
        super().__init__()
        self.static = File(str(settings.BASE_DIR / "static"))
        self.fault = {}
        self.target = {"host": os.environ.get("VNC_HOST", "127.0.0.1"), "port": os.environ.get("VNC_PORT", "1")}
        self.tickets = 0

    def getChild(self, path, request):
        return self

    def render_GET(self, request):
        asked = request.path.decode()
        if asked.startswith(static("")):
            node = self.static
            for part in asked.removeprefix(static("")).encode().split(b"/"):
                node = node.getChild(part, request)
            return node.render(request)
        if request.path == b"/dock/":
            return b"<div></div>"
        if request.path in (b"/reboot", b"/start"):
            word = request.path[1:].decode()
            return CONFIRM.format(word=word, label=word.capitalize()).encode()
        template = {b"/": PAGE, b"/window": '{% extends "virtualmachines/console_popout.html" %}'}.get(request.path)
        if template is None:
            request.setResponseCode(404)
            return b""
        directives = settings.CONTENT_SECURITY_POLICY["DIRECTIVES"].items()
        request.setHeader("Content-Security-Policy", "; ".join(" ".join([k, *v]) for k, v in directives))
        request.setHeader("Content-Type", "text/html; charset=utf-8")
        start = request.args.get(b"start", [b"null"])[0].decode()
        context = {
            "vm": SimpleNamespace(name="web1.example.org"),
            "buttons": [BUTTON],
            "ticket_url": "/ticket",
            "popout_url": "/window",
            "obstacle": request.args.get(b"obstacle", [b""])[0].decode(),
            "start": json.loads(start),
            "start_json": start,
            "start_url": "/start",
            "tabs": [],
        }
        asked = RequestFactory().get("/", headers={"host": "localhost"})
        return engines["django"].from_string(template).render(context, asked).encode()

    def render_POST(self, request):
        request.setHeader("Content-Type", "application/json")
        if request.path in (b"/fault", b"/target"):
            values = {name.decode(): value[0].decode() for name, value in request.args.items()}
            setattr(self, request.path[1:].decode(), values)
            return json.dumps({"tickets": self.tickets}).encode()
        if request.path in (b"/reboot", b"/start"):
            request.setHeader("Content-Type", "text/html")
            return DONE.format(label=request.path[1:].decode().capitalize()).encode()
        self.tickets += 1
        if self.fault:
            request.setResponseCode(int(self.fault["status"]))
            said = {"error": self.fault["error"], "remedy": "Do something about it."}
            return json.dumps(said | {"start": json.loads(self.fault.get("start", "null"))}).encode()
        sealed = ticket(int(self.target["port"]), host=self.target["host"], expires_at=time.time() + 30)
        return json.dumps({"url": "/console/ws", "ticket": sealed, "password": PASSWORD}).encode()


def main():
    django.setup()
    environment = {
        "GWM_CONSOLE_KEYS": KEY,
        "GWM_CONSOLE_CONTROL": os.environ.get("CONTROL", ""),
        "GWM_CONSOLE_CONNECT_TIMEOUT_S": "2",
        "GWM_CONSOLE_NODE_NETWORKS": "127.0.0.0/8,::1,0.0.0.0/0,::/0",
    }
    broker = make_broker(settings_from(environment), reactor)
    broker.startService()
    site = console_site(broker, Page(), reactor=reactor)
    if certificate := os.environ.get("CERTIFICATE"):
        site = TLSMemoryBIOFactory(tls_options(certificate, os.environ["KEY"]), False, site)
    port = reactor.listenTCP(int(os.environ.get("PORT", "0")), site, interface="127.0.0.1")
    sys.stdout.write(f"{'https' if certificate else 'http'}://127.0.0.1:{port.getHost().port}/\n")
    sys.stdout.flush()
    reactor.run()


if __name__ == "__main__":
    main()
