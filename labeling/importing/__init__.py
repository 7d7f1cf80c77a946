"""Labels that others made, as datasets of handloom (docs/exports.md)."""
