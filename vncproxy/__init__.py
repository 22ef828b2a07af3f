"""Console broker: browser WebSocket to a VNC port. Twisted and the standard library; no Django."""
