"""The fast model of stereo (docs/sensors/stereo.md)."""
