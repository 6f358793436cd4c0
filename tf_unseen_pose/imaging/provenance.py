"""The mark of re-posed pictures and videos as synthetic.

Every file that shows a re-posed person has it, alone or on a sheet, without an option to omit it. Skeletons over real
pictures, masks, and pages about datasets show photographed content and have none.

    PNG          XMP in an iTXt chunk; `Software` and `Comment` in tEXt chunks
    JPEG, WebP   XMP; `Software` and `ImageDescription` in EXIF
    GIF          XMP in an application extension; a comment
    MP4          XMP in a `uuid` box; a comment

XMP holds the IPTC's `DigitalSourceType` (https://cv.iptc.org/newscodes/digitalsourcetype) with the value
`compositeWithTrainedAlgorithmicMedia`: a photo, part of which a trained model made.

Anybody can remove the mark. Its bytes are the same in every file.
"""

import io
import shutil
import struct
from pathlib import Path

from PIL import Image
from PIL.ExifTags import Base
from PIL.PngImagePlugin import PngInfo, putchunk

from tf_unseen_pose.files import replacing

SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
SOFTWARE = "tf_unseen_pose"
COMMENT = "Synthetic: tf_unseen_pose put the person of a photo into this pose."
XMP = f"""<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/" \
xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" xmp:CreatorTool="{SOFTWARE}" \
Iptc4xmpExt:DigitalSourceType="{SOURCE_TYPE}">
<dc:description><rdf:Alt><rdf:li xml:lang="x-default">{COMMENT}</rdf:li></rdf:Alt></dc:description>
</rdf:Description>
</rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>"""

# Where a PNG's first chunk, IHDR, ends: signature, length, name, 13 bytes, checksum.
PNG_HEADER = 33
# Identifies the XMP box in an MP4 (XMP specification, part 3).
_MP4_XMP = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
# Behind XMP in a GIF: whoever reads its bytes as lengths of blocks ends in the last two of these, wherever they began.
_GIF_TRAILER = bytes([1, *range(255, -1, -1), 0])


def saving_options(suffix: str, exif: Image.Exif | None = None) -> dict:
    """Options of Pillow's `Image.save` for a picture with the mark, by the file's suffix (".png").

    Args:
        exif: further EXIF entries.

    Raises:
        ValueError: that format cannot carry the mark here.
    """
    if suffix.lower() == ".png":
        return {"pnginfo": _png_info()} | ({"exif": exif} if exif else {})
    if suffix.lower() in (".jpg", ".jpeg", ".webp"):
        exif = exif or Image.Exif()
        exif[Base.Software], exif[Base.ImageDescription] = SOFTWARE, COMMENT
        return {"xmp": XMP.encode(), "exif": exif}
    raise ValueError(f"'{suffix}' files cannot say that they are synthetic")


def png_chunks() -> bytes:
    """The mark as chunks to insert at `PNG_HEADER` into a PNG."""
    chunks = io.BytesIO()
    for name, content, *_ in _png_info().chunks:
        putchunk(chunks, name, content)
    return chunks.getvalue()


def _png_info() -> PngInfo:
    info = PngInfo()
    info.add_itxt("XML:com.adobe.xmp", XMP)
    info.add_text("Software", SOFTWARE)
    info.add_text("Comment", COMMENT)
    return info


def mark_video(path: Path) -> None:
    """Adds the mark to a finished .gif or .mp4; for an MP4 only the XMP, since its writer adds the comment."""
    if path.suffix.lower() == ".gif":
        _mark_gif(path)
    else:
        _mark_mp4(path)


def _mark_gif(path: Path) -> None:
    # Behind the header and the palette, before the first picture.
    with replacing(path) as temporary, path.open("rb") as old, temporary.open("wb") as new:
        header = old.read(13)
        size_of_palette = 3 * 2 ** ((header[10] & 7) + 1) if header[10] & 0x80 else 0
        new.write(header + old.read(size_of_palette))
        new.write(b"\x21\xff\x0bXMP DataXMP" + XMP.encode() + _GIF_TRAILER)
        new.write(b"\x21\xfe" + bytes([len(COMMENT)]) + COMMENT.encode() + b"\0")
        shutil.copyfileobj(old, new)


def _mark_mp4(path: Path) -> None:
    # At the end, so that no other box moves.
    content = b"uuid" + _MP4_XMP + XMP.encode()
    with path.open("ab") as file:
        file.write(struct.pack(">I", 4 + len(content)) + content)
