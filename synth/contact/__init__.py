"""Hands on things, on surfaces and on each other, solved until skin meets what it touches."""
