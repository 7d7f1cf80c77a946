"""Labels refined: the hand model fitted to corrected keypoints and the depth image."""
