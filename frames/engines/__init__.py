"""Shards made by many processes: of this machine, or of a cluster."""
