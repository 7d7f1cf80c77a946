"""Stereo by matching rendered infrared pairs (docs/sensors/matched_stereo.md)."""
