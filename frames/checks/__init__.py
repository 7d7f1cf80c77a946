"""Whether a dataset is whole, and its labels agree with its images."""
