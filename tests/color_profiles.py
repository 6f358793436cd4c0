"""ICC profiles of curves and a matrix, for photos as cameras and editors write them."""

import struct

# To XYZ under D50: Adobe RGB (1998).
_ADOBE = [[0.60976, 0.20524, 0.14922], [0.31112, 0.62566, 0.06322], [0.01948, 0.06089, 0.74484]]


def fixed(*values):
    return struct.pack(f">{len(values)}i", *(round(65536 * value) for value in values))


def formula(kind, *values):
    return b"para\0\0\0\0" + struct.pack(">HH", kind, 0) + fixed(*values)


def table(*values):
    return b"curv\0\0\0\0" + struct.pack(f">I{len(values)}H", len(values), *values)


def profile(curve, space=b"RGB "):
    """A display profile with one curve for all channels."""
    tags = {b"wtpt": b"XYZ \0\0\0\0" + fixed(0.9642, 1, 0.8249)}
    if space == b"GRAY":
        tags[b"kTRC"] = curve
    else:
        tags |= {name + b"TRC": curve for name in (b"r", b"g", b"b")}
        columns = zip((b"r", b"g", b"b"), zip(*_ADOBE, strict=True), strict=True)
        tags |= {name + b"XYZ": b"XYZ \0\0\0\0" + fixed(*column) for name, column in columns}
    directory, data = struct.pack(">I", len(tags)), b""
    for name, tag in tags.items():
        directory += name + struct.pack(">II", 132 + 12 * len(tags) + len(data), len(tag))
        data += tag + b"\0" * (-len(tag) % 4)
    header = b"\2\x10\0\0mntr" + space + b"XYZ " + b"\0" * 12 + b"acsp" + b"\0" * 28 + fixed(0.9642, 1, 0.8249)
    size = 132 + 12 * len(tags) + len(data)
    return (struct.pack(">I", size) + b"lcms" + header).ljust(128, b"\0") + directory + data
