"""Ganeti RAPI client: requests and the standard library; no Django."""
