"""Continuous-wave time of flight (docs/sensors/time_of_flight.md)."""
