"""What re-posed pictures and videos say about themselves, read by programs that know nothing of this project."""

import io
import struct
import xml.etree.ElementTree
import zlib
from fractions import Fraction

import av
import numpy as np
import pytest
from PIL import Image

from tf_unseen_pose.imaging.image_files import save_image
from tf_unseen_pose.imaging.photos import load_image
from tf_unseen_pose.imaging.provenance import png_chunks
from tf_unseen_pose.imaging.video import read_video
from tf_unseen_pose.imaging.video_writer import VideoWriter
from tf_unseen_pose.inference.animation import write_animation
from tf_unseen_pose.on_device.output import open_output

# As the IPTC, the XMP specification and the W3C write them.
IPTC_EXTENSION = "{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}"
RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
TERM = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
MP4_XMP = "be7acfcb97a942e89c71999491e3afac"


@pytest.fixture
def frames():
    """Some of two colours, so that a GIF's palette is small, and some of many."""
    rng = np.random.default_rng(0)
    return [np.kron(rng.integers(0, 256, (4, 6, 3)), np.ones((8, 8, 1))).astype(np.uint8) for _ in range(4)]


def source_type(packet):
    """The IPTC's term in an XMP packet."""
    described = xml.etree.ElementTree.fromstring(packet).find(f"{RDF}RDF/{RDF}Description")
    return described.get(f"{IPTC_EXTENSION}DigitalSourceType")


def gif_extensions(content):
    """The application extensions and comments of a GIF by what they begin with, block by block; and its pictures."""
    found, pictures = {}, 0
    at = 13 + (3 * 2 ** ((content[10] & 7) + 1) if content[10] & 0x80 else 0)
    while content[at] != 0x3B:
        if content[at] == 0x2C:
            local = content[at + 9]
            at += 11 + (3 * 2 ** ((local & 7) + 1) if local & 0x80 else 0)
            pictures, label = pictures + 1, None
        else:
            label, at = content[at + 1], at + 2
        blocks = []
        while length := content[at]:
            blocks.append(content[at : at + 1 + length])
            at += 1 + length
        at += 1
        if label == 0xFF:
            found[blocks[0][1:]] = b"".join(blocks[1:])
        elif label == 0xFE:
            found["comment"] = b"".join(block[1:] for block in blocks).decode()
    assert at == len(content) - 1
    return found, pictures


def mp4_boxes(content):
    """The outermost boxes of an MP4: [(name, content)]."""
    boxes, at = [], 0
    while at < len(content):
        (length,) = struct.unpack_from(">I", content, at)
        boxes.append((content[at + 4 : at + 8].decode(), content[at + 8 : at + length]))
        at += length
    assert at == len(content)
    return boxes


def gif_says(path):
    found, pictures = gif_extensions(path.read_bytes())
    # A reader of blocks takes the text's bytes for lengths; XMP ends where the trailer's 01 FF FE begins.
    packet = found[b"XMP DataXMP"].partition(b"\x01\xff\xfe")[0]
    return source_type(packet), found["comment"], pictures


def mp4_says(path):
    (packet,) = [box[16:] for name, box in mp4_boxes(path.read_bytes()) if name == "uuid" and box[:16].hex() == MP4_XMP]
    with av.open(path) as container:
        return source_type(packet), container.metadata["comment"], len(list(container.decode(video=0)))


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.JPEG", "a.webp"])
def test_a_picture_says_so(tmp_path, frames, name):
    save_image(tmp_path / name, frames[0], synthetic=True)
    with Image.open(tmp_path / name) as image:
        packet, exif, text = image.info["xmp"], image.getexif(), getattr(image, "text", {})
    assert source_type(packet) == TERM
    software, comment = (text["Software"], text["Comment"]) if text else (exif[0x0131], exif[0x010E])
    assert software == "tf_unseen_pose" and comment.startswith("Synthetic")
    assert np.abs(load_image(tmp_path / name).astype(int) - frames[0]).mean() < (1 if name == "a.png" else 25)


def test_a_picture_that_was_not_made_says_nothing(tmp_path, frames):
    save_image(tmp_path / "a.png", frames[0])
    with VideoWriter(tmp_path / "a.mp4", Fraction(25)) as writer:
        writer.write(frames[0])
    write_animation(iter(frames), 4, tmp_path / "b.gif", 25, progress=False, synthetic=False)
    for file in tmp_path.iterdir():
        content = file.read_bytes()
        assert b"Synthetic" not in content and b"iptc" not in content, file


def test_a_format_that_cannot_say_so_is_refused(tmp_path, frames, refuses):
    refuses(lambda: save_image(tmp_path / "a.bmp", frames[0], synthetic=True), "a.bmp", ".png")
    assert not list(tmp_path.iterdir())


def test_the_chunks_for_foreign_pngs_are_whole(frames, as_file):
    content, chunks = as_file(frames[0]), png_chunks()
    names, at = [], 0
    while at < len(chunks):
        (length,) = struct.unpack_from(">I", chunks, at)
        name_and_content = chunks[at + 4 : at + 8 + length]
        assert struct.unpack_from(">I", chunks, at + 8 + length) == (zlib.crc32(name_and_content),)
        names.append(name_and_content[:4])
        at += 12 + length
    assert names == [b"iTXt", b"tEXt", b"tEXt"]
    with Image.open(io.BytesIO(content[:33] + chunks + content[33:])) as image:
        image.verify()
        assert source_type(image.info["xmp"]) == TERM


@pytest.mark.parametrize("name", ["a.gif", "a.mp4"])
def test_a_video_says_so_and_plays(tmp_path, frames, name):
    write_animation(iter(frames), 4, tmp_path / name, 25, progress=False)
    term, comment, count = (gif_says if name == "a.gif" else mp4_says)(tmp_path / name)
    assert (term, count) == (TERM, 4) and comment.startswith("Synthetic")
    read = [frame for _, frame in read_video(tmp_path / name)]
    assert len(read) == 4 and np.abs(read[2].astype(int) - frames[2]).mean() < 25
    assert [file.name for file in tmp_path.iterdir()] == [name]
    if name == "a.gif":
        # As endless as without.
        with Image.open(tmp_path / name) as gif:
            assert gif.n_frames == 4 and gif.info["loop"] == 0
            assert gif.info["comment"].startswith(b"Synthetic")


def test_a_video_that_was_stopped_says_so_as_well(tmp_path, frames):
    def stopped():
        yield frames[0]
        raise KeyboardInterrupt

    for name, says in (("a.gif", gif_says), ("a.mp4", mp4_says)):
        assert write_animation(stopped(), 4, tmp_path / name, 25, progress=False) == (1, False)
        assert says(tmp_path / name)[::2] == (TERM, 1)


@pytest.mark.parametrize("name", ["a.gif", "a.mp4", "a.png"])
def test_a_devices_output_says_so(tmp_path, frames, name):
    with open_output(tmp_path / name, 20) as output:
        for frame in frames:
            output.write(frame)
    if name == "a.png":
        with Image.open(tmp_path / name) as image:
            assert source_type(image.info["xmp"]) == TERM
    else:
        assert (gif_says if name == "a.gif" else mp4_says)(tmp_path / name)[::2] == (TERM, 4)
