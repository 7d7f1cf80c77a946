"""What sensors of several kinds share: noise fields, shadows, incidence."""
