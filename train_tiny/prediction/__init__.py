"""Hands in depth images, in 3D: for programs, and for files on disk."""
