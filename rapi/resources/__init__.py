"""One method per resource and HTTP method of RAPI, by topic. `rapi.client` puts them together."""
