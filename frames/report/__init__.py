"""Reports: one HTML file each, with every number, chart and picture in it."""
