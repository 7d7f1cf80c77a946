"""Other people: where they stand or sit, so that their hands reach into view."""

import numpy as np

from frames.stream import normal
from synth.config import BodyConfig
from synth.hand.angles import rotation


def facing_body(config: BodyConfig, u: np.ndarray) -> np.ndarray:
    """(B, 8) uniforms -> (B, 4, 4) T_world_from_body of one other person each.

    Opposite or somewhat beside the wearer, turned towards them: at a bearing of `other_bearing_deg`
    from straight ahead, `other_away_m` between the eyes along the floor, the eyes up to
    `other_height_m` higher or lower, turned up to `other_turn_deg` from looking at the wearer.
    Their body frame is `synth.scene.arm`'s: origin between their eyes, y where they face.
    """
    n = normal(u[:, :2])
    limit = np.radians(config.other_bearing_deg)
    bearing = np.clip(0.5 * limit * n[:, 0], -limit, limit)
    near, far = config.other_away_m
    away = near + u[:, 2] * (far - near)
    turn = np.radians(config.other_turn_deg) * (2 * u[:, 3] - 1)
    out = np.tile(np.eye(4), (len(u), 1, 1))
    out[:, 0, 3] = away * np.sin(bearing)
    out[:, 1, 3] = away * np.cos(bearing)
    out[:, 2, 3] = config.other_height_m * (2 * u[:, 4] - 1)
    out[:, :3, :3] = rotation("z", np.pi - bearing + turn)
    return out
