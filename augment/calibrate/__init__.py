"""Sensor profiles fitted to real captures (docs/calibrate.md)."""
