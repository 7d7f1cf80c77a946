"""How far annotators agree: places joint by joint, visibility by kappa, and the worst frames.

Pure functions over the answers of each frame (`labeling.answers.Answer`), the latest of each
annotator. Distances are between each two annotators of a hand; kappa is what is left of their
agreement on visibility when chance is taken off, after Cohen (1960) for two raters and Fleiss
(1971) for more.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from frames.camera import Camera
from frames.skeleton import KEYPOINTS
from labeling.answers import HIDDEN, PLACED, Answer, DrawnHand
from labeling.lifting import lift_hand

Floats = NDArray[np.float64]

CATEGORIES: Final = 2
"""Kappa tells joints that are seen from joints that are hidden."""

UNRATED: Final = -1


@dataclass(frozen=True, eq=False)
class Rated:
    """One hand of a frame, as several annotators left it."""

    frame: int
    side: str
    wearer: bool
    annotators: tuple[int, ...]
    """(R,)"""
    keypoints_px: Floats
    """(R, 21, 2); NaN where an annotator did not place the joint."""
    visible: NDArray[np.int8]
    """(R, 21) 1 seen, 0 hidden, -1 neither."""


@dataclass(frozen=True, eq=False)
class Agreement:
    """How far annotators agree over many frames."""

    frames: int
    """With two or more annotators."""
    hands: int
    pairs: int
    """Of annotators of one hand."""
    split_hands: int
    """Hands that some annotators of a frame drew and others did not."""
    median_px: Floats
    """(21,) distance of two annotators; NaN for none."""
    p90_px: Floats
    """(21,)"""
    median_mm: Floats
    """(21,) the same at the joint's own depth, where that is read."""
    p90_mm: Floats
    """(21,)"""
    all_px: tuple[float, float]
    """Median and 90 % over all joints."""
    all_mm: tuple[float, float]
    kappa: Floats
    """(21,) of visibility; NaN where a joint was never rated twice, or always alike by chance."""
    kappa_all: float
    """Over all joints together."""
    kappa_kind: str
    """Whose kappa: "Cohen" where two annotators rated everything, else "Fleiss"."""
    raters: int
    """Most annotators of a hand."""
    annotators: dict[int, tuple[int, float]]
    """Of each: hands shared with others, and the median px from them."""
    worst: tuple["Apart", ...]
    """Hands on which two annotators lie farthest apart, the worst first."""


@dataclass(frozen=True, eq=False)
class Apart:
    """A hand, and the joint on which two of its annotators lie farthest apart."""

    rated: Rated
    joint: int
    px: float
    mm: float
    """NaN where no depth is known."""


def collect_ratings(
    answers: Mapping[int, Sequence[Answer]],
) -> tuple[list[Rated], int]:
    """Hands that two or more annotators drew, and how many hands only some of them did.

    answers: of each frame. Skipped, unusable and unsure answers do not take part.
    """
    out: list[Rated] = []
    split = 0
    for frame, given in answers.items():
        latest: dict[int, Answer] = {}
        for answer in sorted(given, key=lambda a: (a.updated_at, a.number)):
            if not (answer.skipped or answer.unusable or answer.unsure):
                latest[answer.annotator] = answer
        if len(latest) < 2:
            continue
        hands: dict[tuple[bool, str], list[tuple[int, DrawnHand]]] = {}
        for annotator in sorted(latest):
            for hand in latest[annotator].hands:
                hands.setdefault((hand.wearer, hand.side), []).append((annotator, hand))
        for (wearer, side), drawn in hands.items():
            split += len(drawn) < len(latest)
            if len(drawn) >= 2:
                out.append(_rate(frame, side, wearer, drawn))
    return out, split


def _rate(frame: int, side: str, wearer: bool, drawn: Sequence[tuple[int, DrawnHand]]) -> Rated:
    marks = np.array([hand.marks for _, hand in drawn])
    there = np.isin(marks, (PLACED, HIDDEN))
    px = np.where(there[..., None], [hand.keypoints_px for _, hand in drawn], np.nan)
    visible = np.where(there, marks == PLACED, UNRATED).astype(np.int8)
    return Rated(frame, side, wearer, tuple(a for a, _ in drawn), px, visible)


def measure_pairs(rated: Rated) -> Floats:
    """(P, 21) px between each two annotators of a hand; NaN where one did not place the joint."""
    pairs = list(itertools.combinations(range(len(rated.annotators)), 2))
    first, second = (rated.keypoints_px[list(side)] for side in zip(*pairs, strict=True))
    return np.asarray(np.linalg.norm(first - second, axis=-1))


def scale_to_mm(rated: Rated, depth_m: NDArray[np.float32], camera: Camera) -> Floats:
    """(21,) mm that one px is worth at each joint: at the depth that is lifted at the annotators'
    median place, or the hand's own median depth where the joint is hidden; NaN without any."""
    places = rated.keypoints_px
    middle = np.full((KEYPOINTS, 2), np.nan)
    some = np.isfinite(places).all(-1).any(0)
    middle[some] = np.nanmedian(places[:, some], axis=0)
    seen = (rated.visible == 1).sum(0) > (rated.visible == 0).sum(0)
    marks = np.where(some, np.where(seen, PLACED, HIDDEN), 3).astype(np.uint8)
    depth = lift_hand(DrawnHand(rated.side, True, middle, marks), depth_m, camera).joint_m
    if not np.isfinite(depth).any():
        return np.full(KEYPOINTS, np.nan)
    depth = np.where(np.isfinite(depth), depth, np.nanmedian(depth))
    half = np.array([0.5, 0.0])
    step = camera.unproject(middle + half) - camera.unproject(middle - half)
    return np.asarray(1e3 * depth * np.linalg.norm(step[:, :2], axis=-1))


def measure_kappa(ratings: NDArray[np.int8]) -> float:
    """Kappa of items by raters (N, R), entries 0 .. CATEGORIES - 1 or -1 for no rating.

    Cohen's with two raters, both of whom rated an item; Fleiss' with more, over items that at least
    two rated, each pair counting alike. NaN where no item is left, or all ratings are of one
    category: then chance explains everything.
    """
    ratings = np.asarray(ratings)
    if ratings.shape[1] == 2:
        both = ratings[(ratings >= 0).all(1)]
        if not len(both):
            return float("nan")
        observed = float((both[:, 0] == both[:, 1]).mean())
        shares = [[float((both[:, r] == c).mean()) for r in (0, 1)] for c in range(CATEGORIES)]
        expected = sum(a * b for a, b in shares)
    else:
        counts = np.stack([(ratings == c).sum(1) for c in range(CATEGORIES)], 1).astype(np.float64)
        raters = counts.sum(1)
        counts, raters = counts[raters >= 2], raters[raters >= 2]
        if not len(counts):
            return float("nan")
        pairs = (counts * (counts - 1)).sum(1) / (raters * (raters - 1))
        observed = float(pairs.mean())
        expected = float(((counts.sum(0) / counts.sum()) ** 2).sum())
    return float("nan") if expected >= 1.0 else (observed - expected) / (1.0 - expected)


def measure_agreement(
    answers: Mapping[int, Sequence[Answer]],
    depths: Mapping[int, tuple[NDArray[np.float32], Camera]] | None = None,
    worst: int = 12,
) -> Agreement:
    """Agreement over frames: answers of each, and, for mm, its depth in metres and its camera."""
    rated, split = collect_ratings(answers)
    px: list[Floats] = []
    mm: list[Floats] = []
    ranked: list[Apart] = []
    alone: dict[int, list[Floats]] = {}
    for one in rated:
        apart = measure_pairs(one)
        scale = np.full(KEYPOINTS, np.nan)
        if depths is not None and one.frame in depths:
            scale = scale_to_mm(one, *depths[one.frame])
        px.append(apart)
        mm.append(apart * scale)
        for pair, row in zip(itertools.combinations(one.annotators, 2), apart, strict=True):
            for annotator in pair:
                alone.setdefault(annotator, []).append(row)
        if np.isfinite(apart).any():
            joint = int(np.nan_to_num(apart, nan=-1.0).max(0).argmax())
            most = float(np.nanmax(apart[:, joint]))
            ranked.append(Apart(one, joint, most, float(most * scale[joint])))
    ranked.sort(key=lambda one: -one.px)
    table = _tabulate(rated)
    return Agreement(
        frames=len({one.frame for one in rated}),
        hands=len(rated),
        pairs=sum(len(rows) for rows in px),
        split_hands=split,
        median_px=_quantile(px, 50),
        p90_px=_quantile(px, 90),
        median_mm=_quantile(mm, 50),
        p90_mm=_quantile(mm, 90),
        all_px=_spread(px),
        all_mm=_spread(mm),
        kappa=np.array([measure_kappa(table[:, k]) for k in range(KEYPOINTS)]),
        kappa_all=measure_kappa(table.reshape(-1, table.shape[2])),
        kappa_kind="Cohen" if table.shape[2] == 2 else "Fleiss",
        raters=max((len(one.annotators) for one in rated), default=0),
        annotators={
            name: (sum(name in one.annotators for one in rated), _spread(rows)[0])
            for name, rows in sorted(alone.items())
        },
        worst=tuple(ranked[:worst]),
    )


def _tabulate(rated: Sequence[Rated]) -> NDArray[np.int8]:
    """(N, 21, R) visibility: a column an annotator if there are two in all, else in any order."""
    names = sorted({a for one in rated for a in one.annotators})
    most = max((len(one.annotators) for one in rated), default=2)
    table = np.full((len(rated), KEYPOINTS, max(most, 2)), UNRATED, np.int8)
    for n, one in enumerate(rated):
        for r, annotator in enumerate(one.annotators):
            column = names.index(annotator) if len(names) == 2 else r
            table[n, :, column] = one.visible[r]
    # Pairs of many annotators have no fixed places: Fleiss' kappa needs none.
    if len(names) > 2 and table.shape[2] == 2:
        none = np.full((*table.shape[:2], 1), UNRATED, np.int8)
        table = np.concatenate([table, none], 2)
    return table


def _quantile(rows: Sequence[Floats], percent: float) -> Floats:
    """(21,) over all rows, NaN where there is nothing."""
    if not rows:
        return np.full(KEYPOINTS, np.nan)
    stacked = np.concatenate(rows)
    out = np.full(KEYPOINTS, np.nan)
    some = np.isfinite(stacked).any(0)
    out[some] = np.nanpercentile(stacked[:, some], percent, axis=0)
    return out


def _spread(rows: Sequence[Floats]) -> tuple[float, float]:
    """Median and 90 % of all that is known; NaN for nothing."""
    known = np.concatenate([row.ravel() for row in rows]) if rows else np.empty(0)
    known = known[np.isfinite(known)]
    if not len(known):
        return float("nan"), float("nan")
    return float(np.median(known)), float(np.percentile(known, 90))
