"""Things of every day, drawn from a seed or read from a folder, with handles to hold them by."""
