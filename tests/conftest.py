"""What every test may count on."""

import signal

# A shell that starts tests in the background has Ctrl-C ignored, and children would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)
