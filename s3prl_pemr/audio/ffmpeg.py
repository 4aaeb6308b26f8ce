"""By FFmpeg (PyAV): mp3, of which libsndfile reads parts, and what it does not know: m4a, wma, webm."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import av
import numpy as np

from .mp3_tags import OTHER_TAGS, tagged_frames
from .unreadable import NotRecognised, UnreadableAudio, one_line

av.logging.set_level(av.logging.PANIC)  # what FFmpeg prints from C would write over a progress bar

# Containers of audio: no playlists, which open other files, no raw samples known by a name alone,
# no avi, whose missing parts do not show.
FORMATS = (
    "aac,ac3,aiff,amr,ape,asf,au,caf,dsf,dts,eac3,flac,flv,iff,matroska,mov,mp3,mpc,mpc8,mpeg,mpegts,ogg,rm,"
    "tak,tta,w64,wav,wv"
)
# Streams of frames without a header: FFmpeg's duration is a guess from the first frames.
WITHOUT_DURATION = frozenset(("aac", "ac3", "amr", "dts", "eac3", "mp3", "mpeg", "mpegts"))
MP3_TOLERANCE_FRAMES = 2  # encoders disagree about what the length tag counts
# Time stamps are rounded, and durations count what encoders add at both ends.
GAP_SECONDS, SHORT_SECONDS = 0.1, 0.25
SHORT_BESIDE_VIDEO_SECONDS = 2.0  # the duration may be the picture's
# Tags that are not UTF-8 are no error: from 19 on PyAV reads them so itself, and refuses the parameter.
TAGS: dict[str, Any] = {"metadata_errors": "ignore"} if int(av.__version__.split(".")[0]) < 19 else {}


def blocks(path: Path) -> Iterator[tuple[int, np.ndarray]]:
    """The rate and the samples of each decoded frame: float32, (frames, channels).

    Raises:
        NotRecognised: before the first block, if FFmpeg does not know the file or finds no audio in it.
        UnreadableAudio: the file is damaged or truncated.
    """
    with path.open("rb") as file, opened(file) as container:
        reader = _Reader(path, container)
        for frame in reader.frames():
            yield frame.sample_rate, _samples(frame)
        reader.check_end()


def rate_and_seconds(path: Path) -> tuple[int, float]:
    """What the header says; 0 seconds where it does not say. Raises NotRecognised, UnreadableAudio."""
    with path.open("rb") as file, opened(file) as container:
        return container.streams.audio[0].rate, _declared_seconds(container) or 0.0


def packets_seconds(path: Path) -> float:
    """What the frames of a flac, which carry their lengths, come to whatever its header says; not decoded.

    Raises NotRecognised, UnreadableAudio.
    """
    with path.open("rb") as file, opened(file) as container:
        stream = container.streams.audio[0]
        try:
            ticks = sum(packet.duration or 0 for packet in container.demux(stream))
        except av.FFmpegError as error:
            raise UnreadableAudio(path, "damaged or truncated: reading stopped") from error
        return float(ticks * (stream.time_base or 0))


def opened(file: BinaryIO) -> av.container.InputContainer:
    """The file's container, in which there is audio. Raises NotRecognised, UnreadableAudio."""
    try:
        options = {"format_whitelist": FORMATS}
        container = av.open(file, "r", options=options, **TAGS)
    except av.FFmpegError as error:
        log: Any = error.log
        words = one_line(log[2]) if log else ""
        if words == "moov atom not found":
            reason = "truncated: the table that m4a and mp4 keep at their end (moov atom) is missing"
            raise UnreadableAudio(file.name, reason) from error
        raise NotRecognised(words) from error
    if not container.streams.audio or container.streams.audio[0].codec_context is None:
        container.close()
        raise NotRecognised("no audio in it that can be decoded")
    return container


def _declared_seconds(container: av.container.InputContainer) -> float | None:
    stream = container.streams.audio[0]
    if stream.duration:
        return float(stream.duration * (stream.time_base or 0))
    return container.duration / av.time_base if container.duration else None


def _samples(frame: av.AudioFrame) -> np.ndarray:
    values = frame.to_ndarray()
    values = values.T if frame.format.is_planar else values.reshape(frame.samples, -1)
    if values.dtype == np.uint8:
        return (values.astype(np.float32) - 128) / np.float32(128)
    if values.dtype.kind == "i":
        return values.astype(np.float32) / np.float32(1 << 8 * values.dtype.itemsize - 1)
    return values.astype(np.float32, copy=False)


class _Reader:
    """Decodes one file from its start to its end and refuses it where anything is missing."""

    def __init__(self, path: Path, container: av.container.InputContainer):
        self.path, self.container, self.stream = path, container, container.streams.audio[0]
        self.is_mp3 = container.format.name == "mp3"
        self.packets, self.seconds = 0, 0.0  # decoded so far
        self.next_time: float | None = None
        self.frame_seconds = 0.0
        if self.stream.codec.lossless:
            # Their frames carry a checksum. Of mp3, encoders are known that write wrong ones.
            self.stream.codec_context.options = {"err_detect": "crccheck+explode"}

    def frames(self) -> Iterator[av.AudioFrame]:
        """The decoded frames. Raises UnreadableAudio where one is damaged or missing."""
        failed, in_tag = None, False  # the mp3 packet that could not be decoded; whether tags are passed over
        for packet in self._packets():
            if packet.is_corrupt:
                raise self._unreadable("damaged or truncated: a packet is cut")
            try:
                frames: Any = packet.decode()
            except av.FFmpegError as error:
                # After the last frame of an mp3, and between files that were joined, may stand anything.
                in_tag = in_tag or (self.is_mp3 and bytes(packet).startswith(OTHER_TAGS))
                failed = failed if in_tag else error
                if not self.is_mp3:
                    raise self._unreadable("damaged or truncated: decoding stopped") from error
                continue
            if frames and failed:
                raise self._unreadable("damaged: an mp3 frame cannot be decoded") from failed
            in_tag = in_tag and not frames
            self.packets += bool(frames)
            for frame in frames:
                if frame.is_corrupt and not self.is_mp3:
                    raise self._unreadable("damaged or truncated: a frame is cut")
                self._check_time(frame)
                yield frame

    def check_end(self) -> None:
        """Raises UnreadableAudio if the file should have been longer."""
        declared = None
        if self.is_mp3:
            frames = tagged_frames(self.path)
            if self.packets + MP3_TOLERANCE_FRAMES < frames:
                declared = frames * self.frame_seconds
        elif self.container.format.name not in WITHOUT_DURATION:
            declared = _declared_seconds(self.container)
            beside_video = not self.stream.duration and self.container.streams.video
            short = SHORT_BESIDE_VIDEO_SECONDS if beside_video else SHORT_SECONDS
            declared = declared if declared and self.seconds + short < declared else None
        if declared:
            reason = f"truncated: {self.seconds:.1f} s could be read, its header says {declared:.1f} s"
            raise UnreadableAudio(self.path, reason)

    def _packets(self) -> Iterator[av.Packet]:
        try:
            yield from self.container.demux(self.stream)
        except av.FFmpegError as error:
            raise self._unreadable("damaged or truncated: reading stopped") from error

    def _check_time(self, frame: av.AudioFrame) -> None:
        self.frame_seconds = max(self.frame_seconds, frame.samples / frame.sample_rate)
        self.seconds += frame.samples / frame.sample_rate
        time = self.next_time if frame.pts is None else float(frame.pts * (frame.time_base or 0))
        if self.next_time is not None and time is not None:
            gap = time - self.next_time
            if gap > GAP_SECONDS:
                raise self._unreadable(f"damaged: {gap:.2f} s are missing", before=frame)
            if gap < -GAP_SECONDS:
                reason = "several streams one after the other, split it: time stamps start anew"
                raise self._unreadable(reason, before=frame)
        self.next_time = None if time is None else time + frame.samples / frame.sample_rate

    def _unreadable(self, what: str, before: av.AudioFrame | None = None) -> UnreadableAudio:
        seconds = self.seconds - (before.samples / before.sample_rate if before else 0)
        return UnreadableAudio(self.path, f"{what} after {seconds:.1f} s")
