"""Frames and counts as pictures, pages and recordings to look at."""
