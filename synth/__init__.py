"""Egocentric depth frames of hands with exact labels, by seed (docs/scene.md).

hand      the meshes, their shapes, skeletons and limits
pose      which poses hands take
things    what hands hold and touch
contact   hands on things, surfaces and each other
scene     who is where: people, arms, objects, rooms, motion
raster    triangles to depth and codes
"""
