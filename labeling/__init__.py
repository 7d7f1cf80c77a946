"""Real captures in, Label Studio out and back, and labels refined by the hand model
(docs/capture.md, docs/labeling.md, docs/refinement.md)."""
