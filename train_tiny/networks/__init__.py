"""Architectures, as modules of torch: what goes in, what comes out."""
