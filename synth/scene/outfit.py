import numpy as np
from synth.scene.upper_arm import GIRTH,arm_poses
from synth.scene.props import Props
FLAGS=()
def dress(config, studio, seed, scene):
    h=scene.hands
    n=len(h.frame)
    r=studio.capsules.radius[h.identity,19]*GIRTH
    return np.zeros(n,np.int64), Props(h.frame, np.full(n,studio.stock.first["arm"]), arm_poses(h.elbow,h.shoulder,r), h.number, 32*h.number)
def name_worn(worn):
    return np.full(len(worn),None,dtype=object)
