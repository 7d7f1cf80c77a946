"""The one error that users see: bad input, said in one line."""


class BadInput(ValueError):
    """Something the user gave (a file, a flag, a folder) cannot be used.

    The message is one line that names the thing, the value got, what was expected, and the mend.
    The command line prints it without a traceback and exits with code 2.
    """
