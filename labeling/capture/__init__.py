"""Recordings of real depth cameras made datasets (docs/capture.md)."""
