"""Scenes: people, where their hands are, what stands around, how it moves."""
