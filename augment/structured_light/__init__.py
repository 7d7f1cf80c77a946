"""Structured and coded light (docs/sensors/structured_light.md)."""
