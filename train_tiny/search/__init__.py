"""The supernet of LitePose, and the search for its best subnet."""
