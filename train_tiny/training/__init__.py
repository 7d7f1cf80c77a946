"""A run: the loop, its recipe, its folder, checkpoints and curves."""
