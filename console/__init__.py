"""The command line: a file a command, and what they share. No room imports it."""
