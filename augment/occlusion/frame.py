"""Occlusion augmentation of a frame, as far as it comes before the sensor.

frame = occlude_frame(frame, Occlusion(), seed=1)   # border, occluders
...                                                 # the sensor
frame = drop_readings(frame, Occlusion(), seed=1)   # patches without a reading
"""

from collections.abc import Sequence

from augment.occlusion.bodies import Body
from augment.occlusion.border import cut_frame
from augment.occlusion.config import Occlusion
from augment.occlusion.finish import Finish
from augment.occlusion.insertion import insert_occluders
from augment.occlusion.sprites import Sprite
from frames.record import Frame


def occlude_frame(
    frame: Frame,
    config: Occlusion,
    seed: int,
    *,
    epoch: int = 0,
    sprites: Sequence[Sprite] = (),
    bodies: Sequence[Body] = (),
    finish: Finish | None = None,
) -> Frame:
    """The frame cut by a border (`border.cut_frame`), then with occluders
    (`insertion.insert_occluders`, which says what the arguments are)."""
    frame = cut_frame(frame, config, seed, epoch=epoch)
    return insert_occluders(
        frame, config, seed, epoch=epoch, sprites=sprites, bodies=bodies, finish=finish
    )
