"""Real captures in, Label Studio out and back, and labels refined until they train."""
