"""A second hand: the generic hand of the WebXR input profiles (MIT; LICENSES/webxr-hand.md).

`tools/build_webxr_asset.py` makes webxr.npz from the public npm package. It has no shape variation
of its own: people differ in length, breadth, fingers and forearm. Made by other artists on another
skeleton than the embedded hand, it shows what a model learned of one mesh and not of hands.
"""

from synth.hand.builtin import load_asset, size_rig
from synth.hand.rig import Rig
from synth.hand.shape import sample_bodies


def webxr_rig(seed: int, identities: int) -> Rig:
    """The WebXR hand for `identities` people; person i depends on (seed, i) alone."""
    asset = load_asset("webxr.npz")
    bodies = sample_bodies(seed, identities, len(asset["shape_vertices"]))
    return size_rig("webxr", asset, bodies)
