"""A dataset on disk or in an object store: shards, their columns and codecs, and reading."""
