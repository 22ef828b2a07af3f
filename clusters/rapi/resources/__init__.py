"""One method per resource and HTTP method of RAPI, by topic. `clusters.rapi.client` puts them together."""
