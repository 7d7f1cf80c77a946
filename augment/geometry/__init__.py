"""Virtual cameras and crops, exact for images and labels (docs/geometry.md)."""
