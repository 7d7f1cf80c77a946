from dataclasses import dataclass, replace
import numpy as np
from frames.stream import uniform
from synth.scene.room import build_rooms
from synth.scene.props import Props
@dataclass(frozen=True)
class Surroundings:
    present: np.ndarray
    planes: np.ndarray
    frame: np.ndarray
    model: np.ndarray
    T: np.ndarray
    def names(self):
        return np.where(self.present,"room","empty").astype(object)
def build_surroundings(config, seed, ids, points, radius, table, table_point, T_world_from_camera, solids):
    r=build_rooms(config, points, radius, uniform(seed, ids, "room", 40))
    t=~np.isnan(table)
    r.box_present[:,0]|=t
    z=r.box_pose[:,0]
    z[t,2,3]=table[t]-z[t,2,2]/2
    z[t,1,1]=1.2; z[t,1,3]=table_point[t,1]+.3; z[t,0,3]=table_point[t,0]
    f,k=np.nonzero(r.box_present)
    return Surroundings(r.present,r.planes,f,np.zeros(len(f),int),r.box_pose[f,k])
def take_surroundings(s,index):
    from synth.scene.motion import _expand
    rows,own=_expand(s.frame,len(s.present),index)
    return Surroundings(s.present[index],s.planes[index],own,s.model[rows],s.T[rows])
