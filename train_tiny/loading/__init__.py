"""From stored and live frames to batches: order, sensors, occluders, geometry, workers."""
