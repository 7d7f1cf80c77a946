"""What the command line shares: reading arguments, showing progress. No room imports it."""
