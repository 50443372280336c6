"""Values of the schemas in this folder, as mappings by flatc's conventions."""

from __future__ import annotations

from typing import Any

POINT = {"x": 1.5, "y": -2.0, "z": 0.25}
PADDED = {"a": 1, "b": 2, "c": 3, "d": 2**63, "e": 5}
ARRAYS = {
    "bytes": b"\0\1\2\xfe\xff",
    "signed": [-128, 0, 127],
    "shorts": [-1, 0, 1],
    "colors": ["Red", "Blue"],
    "points": [POINT, {"x": 0.0, "y": 0.0, "z": 7.0}],
    "flags": [True, False, True],
}
SCALARS = {
    "i8": -128, "u8": 255, "i16": -32768, "u16": 65535, "i32": -(2**31), "u32": 2**32 - 1,
    "i64": -(2**63), "u64": 2**64 - 1, "f32": 0.5, "f64": 1e300, "truth": True, "color": "Blue",
    "grade": "B", "signed": "Low", "rights": "Read Admin", "big": "Whole",
}  # fmt: skip
VECTORS = {
    "i8": [-1, 2], "u8": b"bytes", "i16": [-300], "u16": [300], "i32": [-70000], "u32": [70000],
    "i64": [-(2**40)], "u64": [2**63 + 1], "f32": [0.5, -0.25], "f64": [1.0, 2.5],
    "truths": [True, False], "colors": ["Red", "Green", "Blue"], "rights": ["Write", "Read Admin"],
    "strings": ["", "Ä€𝄞", "zero\0inside"], "points": [POINT, POINT], "padded": [PADDED],
    "arrays": [ARRAYS], "tables": [{"name": "one", "number": 1}, {}],
}  # fmt: skip
STRUCTS = {
    "point": POINT,
    "padded": PADDED,
    "line": {"from": POINT, "to": POINT, "color": "Green", "closed": True},
    "wide": {"value": -5},
    "arrays": ARRAYS,
}
NODE = {"name": "a", "next": {"name": "b", "next": {}}, "children": [{"name": "c"}, {}]}
EVERYTHING = {
    "scalars": SCALARS,
    "vectors": VECTORS,
    "structs": STRUCTS,
    "node": NODE,
    "empty": {},
}
DRAWING = {
    "shape_type": "Circle", "shape": {"radius": 1.5},
    "anything_type": "Large", "anything": {"side": 2.0},
    "numbered_type": "Square", "numbered": {"side": 3.0},
    "shapes_type": ["Square", "Circle"], "shapes": [{"side": 1.0}, {}],
    "everything_type": ["Circle", "Small", "Large", "Size", "Text", "Other"],
    "everything": [{}, {"side": 1.0}, {"side": 2.0}, {"width": 3, "height": 4}, "text", ""],
    "title": "all",
}  # fmt: skip

#: Schema, table, value: every reader and writer must agree on these.
ALL: list[tuple[str, str, dict[str, Any]]] = [
    ("basics", "basics.Everything", EVERYTHING),
    ("basics", "basics.Everything", {}),
    ("basics", "basics.Scalars", SCALARS),
    ("basics", "basics.Scalars", {}),
    ("basics", "basics.Defaults", {}),
    ("basics", "basics.Defaults", {"i8": 0, "u8": 0, "truth": False, "color": "Red", "f32": 0.0}),
    ("basics", "basics.Optionals", {}),
    ("basics", "basics.Optionals", {"i8": 0, "u64": 0, "f64": 0.0, "truth": False, "color": "Red"}),
    ("basics", "basics.Vectors", VECTORS),
    ("basics", "basics.Vectors", {name: b"" if name == "u8" else [] for name in VECTORS}),
    ("basics", "basics.Structs", STRUCTS),
    ("basics", "basics.Node", NODE),
    (
        "basics",
        "basics.Strict",
        {"text": "", "leaf": {}, "numbers": [], "point": POINT, "note": "n"},
    ),
    ("basics", "basics.Old", {"kept": 3, "last": "x"}),
    ("basics", "basics.Numbered", {"third": 3, "first": 1, "second": "2"}),
    ("basics", "basics.Sorted", {"entries": [{"key": "a"}, {"key": "b", "value": 2}]}),
    ("basics", "basics.Empty", {}),
    ("unions", "unions.Drawing", DRAWING),
    ("unions", "unions.Drawing", {}),
    ("nested", "nested.Envelope", {"plain": b"anything"}),
    ("names", "names.class.def", {"class": 1, "with": {"global": 2, "lambda": 3},
                                  "import": "name", "to_dict": "d", "self": "s", "__init__": 4,
                                  "_private": 5, "camelCase": 6}),
    ("version1", "evolving.Message",
     {"id": 1, "kind": "Two", "body_type": "Text", "body": {"text": "t"}, "old": "o"}),
]  # fmt: skip
