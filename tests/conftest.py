"""What every test may count on."""

import signal

import fuzzing  # noqa: F401 - it knows where the rooms' helpers lie
from hypothesis import settings

from frames.kernels import drop_stale_kernels

# A shell that starts tests in the background has Ctrl-C ignored, and children would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Tests call compiled functions without the generator, which would see to this.
drop_stale_kernels()

# Nothing here is judged by the clock: a busy machine is no failure.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")
