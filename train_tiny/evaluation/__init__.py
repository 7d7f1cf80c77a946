"""Scores of networks on labelled data, and their reports."""
