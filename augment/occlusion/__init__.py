"""What comes between camera and hands, and what takes readings away (docs/occlusion.md)."""
