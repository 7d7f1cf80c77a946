"""From whole frames to hands' keypoints and boxes."""
