"""A RAPI server for tests and the demo cluster: neither Django nor the client."""
