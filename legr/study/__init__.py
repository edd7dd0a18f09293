"""One folder a study: what was learned and measured about one network."""
