"""The sound that belongs to the frames used, packet by packet, for the overlay video."""

from collections.abc import Iterator
from fractions import Fraction

import av
from av.audio.stream import AudioStream
from av.container import OutputContainer

from pipeline.decoders.pyav import open_container
from pipeline.events import EventLog
from pipeline.types import Video

COPIED_CODECS = ("aac", "mp3", "ac3", "opus", "flac")
"""What mp4 players expect and what passes through NUT as it is; all else becomes AAC."""


class SoundTrack:
    """Copies the first audio stream of a video into a NUT stream, moved and cut to the frames.

    Sound that mp4 cannot hold is decoded here, for the encoder to make AAC of it.
    """

    def __init__(self, video: Video, end_s: float, shift_s: float, events: EventLog) -> None:
        """Open the source.

        Args:
            video: the source; the sound starts with its first frame, unless that is frame 0.
            end_s: time on the source's clock to stop before.
            shift_s: added to every time; sound that is negative then is left out.
            events: where re-encoding is recorded.
        """
        self._container = open_container(video.path)
        self._source: AudioStream = self._container.streams.audio[0]
        self._start_s = float(video.time_s[0]) if video.first_frame else -shift_s
        self._end_s = end_s
        self._shift_s = shift_s
        self._events = events
        self._seek()
        codec = self._source.codec_context.name
        self.is_copied = codec.removesuffix("float") in COPIED_CODECS
        if not self.is_copied:
            events.record(
                "video", "info", f"The sound is {codec}, which mp4 does not hold; it becomes AAC."
            )
        self._waiting: av.Packet | None = None

    def add_to(self, out: OutputContainer) -> None:
        """Add a stream for this sound to the container to be written."""
        if self.is_copied:
            self._stream = out.add_stream_from_template(self._source)
        else:
            self._stream = out.add_stream("pcm_s16le", rate=self._source.rate)
            self._stream.layout = self._source.layout
        self._out = out
        self._packets = self._copied() if self.is_copied else self._decoded()

    def write_until(self, time_s: float) -> None:
        """Write the sound up to a time on the source's clock."""
        while True:
            packet = self._waiting or next(self._packets, None)
            self._waiting = packet
            if packet is None or _time_s(packet) > time_s + self._shift_s:
                return
            packet.stream = self._stream
            self._waiting = None
            try:
                self._out.mux(packet)
            except (av.error.ArgumentError, av.error.InvalidDataError):
                self._events.record(
                    "video", "drop", "A part of the sound is damaged; it is left out."
                )

    def close(self) -> None:
        """Close the source."""
        self._container.close()

    def _seek(self) -> None:
        for other in self._container.streams:
            if other.index != self._source.index:
                other.discard = av.stream.Discard.all
        if self._start_s > 1.0:
            self._container.seek(int((self._start_s - 1.0) * av.time_base))

    def _used(self) -> Iterator[av.Packet]:
        try:
            for packet in self._container.demux(self._source):
                if packet.size == 0 or packet.pts is None or packet.is_corrupt:
                    continue
                time_s = _time_s(packet)
                if time_s >= self._end_s:
                    return
                if time_s >= self._start_s:
                    yield packet
        except av.FFmpegError:
            return  # the file is cut off; that is an event of the video already

    def _copied(self) -> Iterator[av.Packet]:
        for packet in self._used():
            moved = (packet.pts or 0) + round(Fraction(self._shift_s) / Fraction(packet.time_base))
            packet.pts = packet.dts = moved
            yield packet

    def _decoded(self) -> Iterator[av.Packet]:
        resampler = av.AudioResampler("s16", self._source.layout, self._source.rate)
        tick = Fraction(1, self._source.rate)
        for packet in self._used():
            try:
                frames = self._source.decode(packet)
            except av.FFmpegError:
                continue
            for frame in frames:
                for part in resampler.resample(frame):
                    if part.pts is None or part.time_base is None:
                        continue
                    part.pts = round((part.pts * part.time_base + Fraction(self._shift_s)) / tick)
                    part.time_base = tick
                    yield from self._stream.encode(part)


def _time_s(packet: av.Packet) -> float:
    return float((packet.pts or 0) * Fraction(packet.time_base))
