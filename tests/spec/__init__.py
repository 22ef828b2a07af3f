"""A machine as data: on its way to Ganeti and back, and what differs between two."""
