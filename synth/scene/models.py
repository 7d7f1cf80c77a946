import numpy as np
from synth.things.model import Model
from synth.scene.objects import cube
from synth.scene.upper_arm import tube
from frames.parts import FOREARM
def fixed_models():
    c=cube(); v,f=tube()
    return {"cube":[Model("cube",c.vertices,c.faces,c.codes)],"arm":[Model("arm",v,f,np.full(len(f),FOREARM,np.uint8))]}
