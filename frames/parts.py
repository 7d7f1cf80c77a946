"""Codes of the part image, visibility and its cause (see docs/conventions.md)."""

from typing import Final

BACKGROUND: Final = 0
"""Room, table, nothing: whatever is neither a hand, a forearm nor a labelled object."""

HAND_STRIDE: Final = 32
"""Hand number k of a frame owns the codes 32*k + 1 ... 32*k + 17."""

MAX_HANDS: Final = 6
FOREARM: Final = 17
HAND_PARTS: Final = 16
OBJECT_BASE: Final = 224
"""Object number j of a frame has the code 224 + j."""

MAX_OBJECTS: Final = 31

PART_NAMES: Final = (
    "background",
    "palm",
    *(f"thumb_{p}" for p in ("metacarpal", "proximal", "distal")),
    *(
        f"{f}_{p}"
        for f in ("index", "middle", "ring", "pinky")
        for p in ("proximal", "middle", "distal")
    ),
    "forearm",
)
"""Name of part p (0..17) within a hand's block of codes."""

VISIBILITY_OUTSIDE: Final = 0
VISIBILITY_OCCLUDED: Final = 1
VISIBILITY_VISIBLE: Final = 2

CAUSE_NAMES: Final = ("none", "self", "other_hand", "object", "outside", "dropout")
CAUSE_NONE, CAUSE_SELF, CAUSE_OTHER_HAND, CAUSE_OBJECT, CAUSE_OUTSIDE, CAUSE_DROPOUT = range(6)

PROVENANCE_NAMES: Final = ("exact", "human", "model", "lifted")
PROVENANCE_EXACT, PROVENANCE_HUMAN, PROVENANCE_MODEL, PROVENANCE_LIFTED = range(4)
PROVENANCE_NONE: Final = 255
