"""Networks as files for other runtimes, compared with torch."""
