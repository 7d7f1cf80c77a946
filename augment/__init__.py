"""What a real sensor and a real scene do to a clean frame (docs/sensors.md, docs/augment.md)."""
