"""Datasets in the formats that others read (docs/exports.md): COCO keypoints, Ultralytics pose,
WebDataset, HDF5, Hugging Face.

A format writes pieces, each a pure function of its frames, and puts them together at the end: the
bytes of an export are the same for any number of workers and any restart.
"""
