"""A space of tiny subnets."""

from train_tiny.networks.litepose import LitePoseConfig
from train_tiny.search.subnets import Space

LARGEST = LitePoseConfig(64, 16, (16, 24, 32, 40), (24, 16, 16), (2, 2, 3, 2), 3, 2)

SPACE = Space(LARGEST, (1.0, 0.75, 0.5, 0.25), (0, 1), (32, 48, 64))
