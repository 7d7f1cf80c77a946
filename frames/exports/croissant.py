"""Croissant (docs.mlcommons.org/croissant): what files there are and what their columns mean, in
JSON-LD that data catalogues and `mlcroissant` read.
"""

import re
from typing import Any, Final

from frames.exports.layout import About
from frames.store.schema import CAMERA_COLUMNS, FRAME_COLUMNS, HAND_COLUMNS, OBJECT_COLUMNS, Column

CONTEXT: Final[dict[str, Any]] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileProperty": "cr:fileProperty",
    "fileObject": "cr:fileObject",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
"""The context that the specification prescribes."""

FILES: Final = "parquet-files"
RECORDS: Final = "frames"

_FILE_SET: Final = {
    "@type": "cr:FileSet",
    "@id": FILES,
    "name": FILES,
    "encodingFormat": "application/x-parquet",
    "includes": "data/*.parquet",
}
"""In no archive and no repository: the folder that this document is in."""

_TYPES: Final = {
    "string": "sc:Text",
    "bool": "sc:Boolean",
    "float": "sc:Float",
    "double": "sc:Float",
}
_COLUMNS: Final = {c.name: c for c in FRAME_COLUMNS}
_STRUCTS: Final = {"camera": CAMERA_COLUMNS, "hands": HAND_COLUMNS, "objects": OBJECT_COLUMNS}


def build_croissant(
    about: About, files: dict[str, dict[str, Any]], rows: dict[str, int], features: dict[str, Any]
) -> dict[str, Any]:
    """The whole document.

    files: names to their "sha256" and "bytes". rows: frames of each split. features: the columns.
    """
    name = re.sub(r"[^A-Za-z0-9]+", "-", about.title).strip("-").lower()
    return {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "name": name or "handloom",
        "description": f"{about.frames:,} depth frames of hands with labels, made by handloom.",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "license": about.license,
        "citeAs": f"{about.title}, handloom {about.version}",
        "version": _version(about.version),
        "distribution": [*(_file(n, f) for n, f in files.items()), _FILE_SET],
        "recordSet": [
            {
                "@type": "cr:RecordSet",
                "@id": RECORDS,
                "name": RECORDS,
                "description": "A record a frame; "
                + ", ".join(f"{split}: {count:,}" for split, count in rows.items()),
                "field": [_field(n) for n in features],
            }
        ],
    }


def _version(text: str) -> str:
    """MAJOR.MINOR.PATCH, which is all that Croissant takes."""
    found = re.match(r"\d+\.\d+\.\d+", text)
    return found.group() if found else "0.0.0"


def _file(name: str, told: dict[str, Any]) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": name,
        "name": name,
        "contentUrl": name,
        "contentSize": f"{told['bytes']} B",
        "encodingFormat": "application/x-parquet",
        "sha256": told["sha256"],
    }


def _field(name: str) -> dict[str, Any]:
    if name in _STRUCTS:
        field = _head(name, name, "what the frame was seen by" if name == "camera" else name)
        if name != "camera":
            field["repeated"] = True
        field["subField"] = [_sub_field(name, c) for c in _STRUCTS[name]]
        return field
    column = _COLUMNS[name]
    field = _head(name, name, column.meaning)
    field["source"] = _source(name)
    if str(column.type) == "binary":
        field["dataType"] = "sc:ImageObject"
        field["source"]["transform"] = {"jsonPath": "bytes"}
    else:
        field |= _type(column)
    return field


def _sub_field(parent: str, column: Column) -> dict[str, Any]:
    field = _head(f"{parent}/{column.name}", f"{parent}/{column.name}", column.meaning)
    field["source"] = _source(parent)
    field["source"]["transform"] = {"jsonPath": column.name}
    return field | _type(column)


def _head(identity: str, name: str, meaning: str) -> dict[str, Any]:
    return {
        "@type": "cr:Field",
        "@id": f"{RECORDS}/{identity}",
        "name": f"{RECORDS}/{name}",
        "description": meaning,
    }


def _source(column: str) -> dict[str, Any]:
    return {"fileSet": {"@id": FILES}, "extract": {"column": column}}


def _type(column: Column) -> dict[str, Any]:
    out: dict[str, Any] = {"dataType": _TYPES.get(str(column.type), "sc:Integer")}
    if column.shape is not None:
        out["repeated"] = True
    return out
