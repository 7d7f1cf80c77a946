"""The two networks of hand pose from depth, their training and their use (docs/training.md)."""
