"""What networks are taught: targets as tensors, losses, their weights."""
