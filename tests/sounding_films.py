"""Videos in which something is heard when something is seen."""

from fractions import Fraction

import av
import numpy as np

from tf_unseen_pose.imaging.video import read_video

RATE = 25
HEARD_RATE = 48000


def film(path, codec, count=30, change=15, late=0.0):
    """Frames that turn from black to white at one of them, when a tone begins; the sound track may begin late."""
    with av.open(path, "w") as container:
        video, sound = container.add_stream("libx264", rate=RATE), None
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        if codec:
            sound = container.add_stream(codec, rate=HEARD_RATE, layout="mono")
            time = np.arange(round(HEARD_RATE * late), HEARD_RATE * count // RATE) / HEARD_RATE
            tone = np.sin(2 * np.pi * 440 * time) * (time >= change / RATE) / 2
            kind = sound.codec_context.format.name
            tone = np.int16(tone * 32767) if kind.startswith("s16") else np.float32(tone)
            size = 960
            for first in range(0, len(tone) - len(tone) % size, size):
                heard = av.AudioFrame.from_ndarray(tone[None, first : first + size], kind, "mono")
                heard.rate, heard.pts, heard.time_base = (
                    HEARD_RATE,
                    first + round(HEARD_RATE * late),
                    Fraction(1, HEARD_RATE),
                )
                container.mux(sound.encode(heard))
            container.mux(sound.encode(None))
        for number in range(count):
            picture = np.full((48, 64, 3), 255 if number >= change else 0, np.uint8)
            container.mux(video.encode(av.VideoFrame.from_ndarray(picture)))
        container.mux(video.encode(None))
    return path


def onsets(path):
    """When white is first seen, and when the tone is first heard, in seconds from the first picture on."""
    seen = next(time for time, image in read_video(path) if image.mean() > 128)
    with av.open(path) as container:
        begin = float(container.streams.video[0].start_time * container.streams.video[0].time_base)
        for frame in container.decode(audio=0):
            loud = np.flatnonzero(
                np.abs(frame.to_ndarray()[0].astype(float)) > (0.2 if "flt" in frame.format.name else 6000)
            )
            if len(loud):
                return seen, frame.time + loud[0] / frame.sample_rate - begin
    return seen, None


def codec_of(path):
    with av.open(path) as container:
        return [(stream.codec_context.name, stream.duration * stream.time_base) for stream in container.streams.audio]
