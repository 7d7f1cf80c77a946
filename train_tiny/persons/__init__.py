"""Pictures of persons, as COCO and CrowdPose have them: read, trained on, scored."""
