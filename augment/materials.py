"""What surfaces reflect in the near infrared, by what they are.

Sensors of depth see by light of about 850 nm, where colours mean little: skin of any tone is
bright, a black shirt may be white (most dyes are clear there) or black (carbon, some synthetics),
and the glass of a screen returns next to nothing but at the mirror angle.

Skin: C. C. Cooksey, D. W. Allen and B. K. Tsai, "Reference Data Set of Human Skin Reflectance",
J. Res. NIST 122, 26 (2017), https://doi.org/10.6028/jres.122.026: forearms of a hundred people,
mostly 0.5 to 0.65 at 850 nm. All other ranges are choices, wide on purpose: what a dataset's
things are made of nobody knows, and a network should not either.

A person's skin depends on (seed, identity), a thing on (seed, name), clothes and walls on (seed,
sequence): constant over a sequence, and a thing over a dataset.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from frames.parts import FOREARM, HAND_PARTS, HAND_STRIDE
from frames.stream import hash_stage, uniform

Words = NDArray[np.uint64]


@dataclass(frozen=True)
class Material:
    """Diffuse reflectance of a class of surfaces at 850 nm."""

    ranges: tuple[tuple[float, float, float], ...]
    """(share, least, most) of each of its sorts; shares sum to 1, values are even within."""

    def draw(self, u: NDArray[np.float64]) -> NDArray[np.float64]:
        """(..., 2) uniform numbers -> (...) reflectances: the first chooses the sort."""
        shares, low, high = np.array(self.ranges).T
        sort = np.minimum((u[..., :1] >= np.cumsum(shares)).sum(-1), len(shares) - 1)
        return np.asarray(low[sort] + u[..., 1] * (high - low)[sort])


SKIN: Final = (0.45, 0.69)
"""Least and most; the mean of two even draws, so most people are within 0.5 and 0.64."""

ARM_HAIR: Final = 0.25
"""A hairy forearm reflects up to this share less than its skin (hair: 0.1 to 0.4)."""

CLOTH: Final = Material(((0.25, 0.04, 0.15), (0.75, 0.3, 0.85)))
"""Sleeves: a quarter are of cloth that is dark in the infrared too."""

GLOVE: Final = Material(((0.35, 0.04, 0.12), (0.65, 0.3, 0.8)))
"""Rubber and leather with carbon black; nitrile, latex, cotton."""

GLASS: Final = Material(((1.0, 0.02, 0.08),))
"""Screens and clear glass: what is not mirrored goes in or through."""

METAL: Final = Material(((0.3, 0.08, 0.2), (0.7, 0.2, 0.6)))
"""Blackened or coated, and bare: most of its light is mirrored away."""

PLASTIC: Final = Material(((0.35, 0.03, 0.1), (0.65, 0.3, 0.8)))
"""Coloured with carbon black, and with anything else."""

PAPER: Final = Material(((0.15, 0.05, 0.3), (0.85, 0.5, 0.85)))
"""Printed all over with black ink, and other paper and card."""

WOOD: Final = Material(((1.0, 0.35, 0.7),))

CERAMIC: Final = Material(((0.2, 0.05, 0.2), (0.8, 0.45, 0.85)))

FOOD: Final = Material(((1.0, 0.35, 0.75),))
"""Fruit, vegetables, eggs: bright as skin, for the same water and scattering."""

ANYTHING: Final = Material(((0.25, 0.03, 0.15), (0.75, 0.2, 0.85)))
"""Things whose kind says nothing."""

ROOM: Final = Material(((0.12, 0.05, 0.2), (0.88, 0.3, 0.85)))
"""Walls, floors, tables, furniture, other people's clothes: all that has the code 0."""

MATERIALS: Final[dict[str, Material]] = {
    **dict.fromkeys(("phone", "tablet", "glass", "wineglass", "bulb"), GLASS),
    **dict.fromkeys(("coin", "can", "key", "pan", "kettle", "spoon", "fork", "knife"), METAL),
    **dict.fromkeys(("screwdriver", "hammer", "pliers", "scissors", "wrench", "dumbbell"), METAL),
    **dict.fromkeys(("bottle", "jar", "spray", "pump", "lid", "tape", "remote", "mouse"), PLASTIC),
    **dict.fromkeys(("controller", "pen", "marker", "toothbrush", "torch", "tray"), PLASTIC),
    **dict.fromkeys(("box", "parcel", "carton", "book", "card"), PAPER),
    **dict.fromkeys(("stick", "brush"), WOOD),
    **dict.fromkeys(("mug", "cup", "bowl", "plate"), CERAMIC),
    **dict.fromkeys(("apple", "pear", "banana", "egg", "carrot", "lemon"), FOOD),
}
"""What the kinds of things are made of; other kinds are of anything."""


def draw_skin(seed: int, people: Words) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(N,) reflectance of each person's hands and of their bare forearms."""
    u = uniform(seed, people, "materials/skin", 3)
    hands = SKIN[0] + (u[:, 0] + u[:, 1]) / 2 * (SKIN[1] - SKIN[0])
    return hands, hands * (1 - ARM_HAIR * u[:, 2] * u[:, 2])


def draw_things(
    seed: int, kinds: list[str], names: list[str | None], scenes: Words
) -> NDArray[np.float64]:
    """(M,) reflectance of things: by name, or for things without by scene and kind."""
    words = np.array(
        [
            hash_stage(f"{kind}/{name}") if name else hash_stage(kind) ^ int(scene)
            for kind, name, scene in zip(kinds, names, scenes, strict=True)
        ],
        np.uint64,
    )
    u = uniform(seed, words, "materials/things", 2)
    out = np.empty(len(kinds))
    for material in dict.fromkeys(MATERIALS.get(kind, ANYTHING) for kind in kinds):
        mine = np.array([MATERIALS.get(kind, ANYTHING) is material for kind in kinds], bool)
        out[mine] = material.draw(u[mine])
    return out


def fill_reflectance(
    seed: int,
    scenes: Words,
    hand_frame: NDArray[np.int64],
    hand_slot: NDArray[np.int64],
    identity: NDArray[np.int64],
    wearer: NDArray[np.bool_],
    worn: list[str | None],
    object_frame: NDArray[np.int64],
    object_code: NDArray[np.int64],
    kinds: list[str],
    names: list[str | None],
) -> NDArray[np.float32]:
    """(B, 256) diffuse reflectance at 850 nm of every part code of B frames.

    scenes (B,): words that are equal within a sequence and nowhere else. Of N hands: frame, place,
    identity (-1 for unknown), whether the wearer's, what is worn (as `Hand.worn`). Of M objects:
    frame, code, kind, name.
    """
    out = np.empty((len(scenes), 256), np.float32)
    out[:] = ROOM.draw(uniform(seed, scenes, "materials/room", 2))[:, None]
    mine = scenes[hand_frame]
    # Nobody known: a person of this scene alone, by place.
    unknown = mine ^ (np.uint64(1) << (np.uint64(48) + hand_slot.astype(np.uint64)))
    people = np.where(identity >= 0, identity.astype(np.uint64), unknown)
    hands, arms = draw_skin(seed, people)
    wardrobe = np.where(
        wearer[:, None],
        uniform(seed, mine, "materials/wearer", 4),
        uniform(seed, mine, "materials/other", 4),
    )
    # Words are few: every combination of what is worn is looked at once.
    flags = {w: set((w or "").split(",")) for w in set(worn)}
    sleeved = np.array(["sleeve" in flags[w] for w in worn], bool)
    gloved = np.array(["glove" in flags[w] for w in worn], bool)
    hands = np.where(gloved, GLOVE.draw(wardrobe[:, 2:]), hands)
    arms = np.where(sleeved, CLOTH.draw(wardrobe[:, :2]), arms)
    first = HAND_STRIDE * hand_slot
    codes = first[:, None] + np.arange(1, HAND_PARTS + 1)
    out[hand_frame[:, None], codes] = hands[:, None]
    out[hand_frame, first + FOREARM] = arms
    out[object_frame, object_code] = draw_things(seed, kinds, names, scenes[object_frame])
    return out
