from fractions import Fraction

import av
import pytest
from sounding_films import RATE, codec_of, film, onsets

from tf_unseen_pose.imaging.sound import opened_sound
from tf_unseen_pose.imaging.time_span import WHOLE, TimeSpan
from tf_unseen_pose.imaging.video import read_video
from tf_unseen_pose.imaging.video_writer import VideoWriter


def rewritten(path, source, span=WHOLE):
    """The pictures of a span of a video, with its sound."""
    with opened_sound(source, span) as sound, VideoWriter(path, Fraction(RATE), sound=sound) as writer:
        for _, image in read_video(source, span):
            writer.write(image)
    return path


@pytest.mark.parametrize(
    "name, codec, becomes",
    [("a.mp4", "aac", "aac"), ("a.mkv", "libopus", "opus"), ("a.mov", "pcm_s16le", "aac"), ("a.ts", "aac", "aac")],
)
@pytest.mark.parametrize("span", [WHOLE, TimeSpan(0.25, 0.95)])
def test_what_is_heard_stays_with_what_is_seen(tmp_path, name, codec, becomes, span):
    made = rewritten(tmp_path / "made.mp4", film(tmp_path / name, codec), span)
    seen, heard = onsets(made)
    assert seen == pytest.approx(0.6 - span.start, abs=0.04) and heard == pytest.approx(0.6 - span.start, abs=0.025)
    ((found, duration),) = codec_of(made)
    # The sound ends with the pictures.
    assert found == becomes and duration == pytest.approx(min(span.end, 1.2) - span.start, abs=0.05)


@pytest.mark.parametrize("codec", ["aac", "pcm_s16le"])
def test_a_sound_that_begins_late_is_not_moved(tmp_path, codec):
    made = rewritten(tmp_path / "made.mp4", film(tmp_path / "a.mov", codec, late=0.3), TimeSpan(0.1))
    assert onsets(made) == pytest.approx((0.5, 0.5), abs=0.025)


def test_hidden_beginnings_are_neither_seen_nor_heard(tmp_path):
    """A trim without coding anew moves all before time 0; the file's edit lists say what is shown."""
    source, trimmed = film(tmp_path / "whole.mp4", "aac"), tmp_path / "trimmed.mp4"
    with av.open(source) as whole, av.open(trimmed, "w") as target:
        streams = {stream.index: target.add_stream_from_template(stream) for stream in whole.streams}
        for packet in whole.demux():
            if packet.dts is not None:
                shift = round(Fraction(1, 5) / packet.time_base)
                packet.pts, packet.dts, packet.stream = (
                    packet.pts - shift,
                    packet.dts - shift,
                    streams[packet.stream.index],
                )
                target.mux(packet)
    assert onsets(trimmed) == pytest.approx((0.4, 0.4), abs=0.045)
    made = rewritten(tmp_path / "made.mp4", trimmed)
    assert onsets(made) == pytest.approx((0.4, 0.4), abs=0.025)
    assert sum(1 for _ in read_video(made)) == 25


def test_packets_are_copied(tmp_path):
    source = film(tmp_path / "a.mp4", "aac")
    kept = []
    for path in (source, rewritten(tmp_path / "made.mp4", source)):
        with av.open(path) as container:
            kept.append([bytes(packet) for packet in container.demux(audio=0) if packet.size])
    assert len(kept[0]) > 20 and set(kept[1]) <= set(kept[0]) and len(kept[1]) > 50


def test_silent_videos_and_gifs_stay_so_without_a_word(tmp_path, caplog):
    assert codec_of(rewritten(tmp_path / "made.mp4", film(tmp_path / "silent.mp4", None))) == []
    assert rewritten(tmp_path / "made.gif", film(tmp_path / "a.mp4", "aac")).stat().st_size
    assert not caplog.records
