"""A small VNC server: what a simulated machine shows on its screen, and how it takes keys."""
