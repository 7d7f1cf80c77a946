"""The rasteriser: depth and part codes of triangle scenes, in layers, for every camera model."""

from synth.raster.canvas import DEPTH_SCALE, NEAR_M, Canvas, LayerStatistics

__all__ = ["DEPTH_SCALE", "NEAR_M", "Canvas", "LayerStatistics"]
