"""The console broker: browser (WebSocket) on one side, a node's VNC port on the other.

Twisted, no Django. Django's part is ``vncproxy.client``; a process serves consoles with ``vncproxy.web`` or is one by
``python -m vncproxy``.
"""
