"""Numbers counted as they stream by: a histogram in bounded memory, with exact ends."""

from typing import Any

import numpy as np


class Tally:
    """Counts values of one quantity on fine bins.

    Minimum, maximum, mean and count are exact; quantiles are exact to one fine bin.
    """

    def __init__(self, low: float, high: float, unit: str, bins: int = 4000) -> None:
        """Count between low and high, in steps of (high - low) / bins; what lies beyond counts
        into the first or last bin."""
        self.unit = unit
        self.edges = np.linspace(low, high, bins + 1)
        self.counts = np.zeros(bins, np.int64)
        self.total = 0.0
        self.low, self.high = np.inf, -np.inf

    @property
    def count(self) -> int:
        """How many values were counted."""
        return int(self.counts.sum())

    def add(self, values: np.ndarray) -> None:
        """Count values of any shape; those that are not finite are left out."""
        values = np.asarray(values, np.float64).ravel()
        values = values[np.isfinite(values)]
        if not len(values):
            return
        bins = len(self.counts)
        step = (self.edges[-1] - self.edges[0]) / bins
        index = np.clip((values - self.edges[0]) / step, 0, bins - 1).astype(np.int64)
        self.counts += np.bincount(index, minlength=bins)
        self.total += float(values.sum())
        self.low, self.high = (
            min(self.low, float(values.min())),
            max(self.high, float(values.max())),
        )

    def quantile(self, share: float) -> float:
        """Return the value that a share of the counted ones lies below, 0..1; NaN if none."""
        if not self.count:
            return float("nan")
        reached = np.cumsum(self.counts)
        bin_ = int(np.searchsorted(reached, share * self.count, side="left"))
        bin_ = min(bin_, len(self.counts) - 1)
        before = reached[bin_] - self.counts[bin_]
        within = (share * self.count - before) / max(1, self.counts[bin_])
        step = self.edges[1] - self.edges[0]
        return float(np.clip(self.edges[bin_] + within * step, self.low, self.high))

    def summarize(self, bars: int = 48) -> dict[str, Any]:
        """Return the tally as JSON values, with a histogram of at most `bars` equal bars over the
        occupied range."""
        if not self.count:
            return {"unit": self.unit, "count": 0, "edges": [], "counts": []}
        occupied = np.flatnonzero(self.counts)
        first, last = int(occupied[0]), int(occupied[-1]) + 1
        merge = -(-(last - first) // bars)
        used = -(-(last - first) // merge)
        padded = np.zeros(used * merge, np.int64)
        padded[: last - first] = self.counts[first:last]
        step = self.edges[1] - self.edges[0]
        edges = self.edges[first] + step * merge * np.arange(used + 1)
        return {
            "unit": self.unit,
            "count": self.count,
            "min": self.low,
            "p5": self.quantile(0.05),
            "median": self.quantile(0.5),
            "mean": self.total / self.count,
            "p95": self.quantile(0.95),
            "max": self.high,
            "edges": [round(float(e), 9) for e in edges],
            "counts": [int(c) for c in padded.reshape(used, merge).sum(1)],
        }
