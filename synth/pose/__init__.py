"""Poses: a library in parts, ways between them, and a sampler of both."""
