"""Hands: meshes, skeletons, shapes, joint limits, gloves."""
