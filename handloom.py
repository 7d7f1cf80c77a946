"""The handloom command line."""


def main() -> None:
    """Entry point of the `handloom` command."""
