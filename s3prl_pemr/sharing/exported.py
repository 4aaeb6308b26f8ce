"""A portable network as one file, ONNX or torch.export's .pt2, and whether it is the same as the model."""

from __future__ import annotations

import io
import json
import logging
import warnings
from collections.abc import Callable
from typing import Any

import torch
import torch.fx.experimental._config as fx_config
from torch import Tensor, nn

INPUT, OUTPUT = "waveforms", "frames"
OPSET = 18
TOLERANCE = 1e-4  # of the largest value, or of 1
EXTRA_FILE = "model.json"  # in a .pt2: what an .onnx has as metadata
Run = Callable[[Tensor], Tensor]


def exported_program(network: nn.Module) -> torch.export.ExportedProgram:
    """Waveforms (batch, samples) -> frames, with both dimensions free.

    Raises:
        ValueError: one line: a torch whose export cannot leave them free.
    """
    if not hasattr(fx_config, "backed_size_oblivious"):
        raise ValueError(f"export needs a newer torch than {torch.__version__}: it is tested with 2.13")
    free = {0: torch.export.Dim.DYNAMIC, 1: torch.export.Dim.DYNAMIC}
    example = torch.zeros(2, 100_000)
    # Else it would hold for several frames alone: sizes of 0 and 1 are taken for other cases.
    with torch.no_grad(), fx_config.patch(backed_size_oblivious=True):
        return torch.export.export(network, (example,), dynamic_shapes=(free,))


def as_pt2(network: nn.Module, about: dict[str, Any]) -> tuple[bytes, Run]:
    """The file's content, and what it computes when it is read again.

    Args:
        about: sample rate and the like, kept in the file.
    """
    file = io.BytesIO()
    torch.export.save(exported_program(network), file, extra_files={EXTRA_FILE: json.dumps(about)})
    file.seek(0)
    return file.getvalue(), torch.export.load(file).module()


def as_onnx(network: nn.Module, about: dict[str, Any]) -> tuple[bytes, Run]:
    """As `as_pt2`; what it computes is onnxruntime's.

    Raises:
        ValueError: one line: without the packages of the extra `onnx`.
    """
    try:
        import onnxruntime
        import onnxscript  # noqa: F401 - torch.onnx's
    except ImportError as error:
        raise ValueError(f".onnx needs {error.name}: pip install 's3prl-pemr[onnx]'") from error
    logging.getLogger("torch.onnx._internal.exporter._registration").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of torch's own deprecations
        program = torch.onnx.export(
            exported_program(network),
            dynamo=True,
            verbose=False,
            opset_version=OPSET,
            input_names=[INPUT],
            output_names=[OUTPUT],
            dynamic_shapes=({0: "batch", 1: "samples"},),
        )
        proto = program.model_proto
    for key, value in about.items():
        proto.metadata_props.add(key=key, value=str(value))
    content = proto.SerializeToString()
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    return content, lambda wavs: torch.from_numpy(session.run([OUTPUT], {INPUT: wavs.numpy()})[0])


@torch.no_grad()
def largest_difference(model: nn.Module, run: Run) -> tuple[float, list[int]]:
    """Between a model's frames and those of an exported file, of noise at three lengths, one and two items.

    Returns: relative to the largest value, or to 1; and the lengths in samples.

    Raises:
        ValueError: one line: more than TOLERANCE, or other shapes.
    """
    rate = int(model.samples_per_frame)
    lengths: list[int] = [rate // 2, rate + 1, 3 * rate + rate // 3]
    worst = 0.0
    generator = torch.Generator().manual_seed(0)
    for items, samples in zip((1, 2, 1), lengths, strict=True):
        wavs = 0.1 * torch.randn(items, samples, generator=generator)
        expected, found = model(wavs, torch.full((items,), samples)), run(wavs)
        if found.shape != expected.shape:
            raise ValueError(f"exported, it gives {tuple(found.shape)} instead of {tuple(expected.shape)}")
        worst = max(worst, float((found - expected).abs().max() / expected.abs().max().clamp(min=1)))
    if not worst <= TOLERANCE:
        raise ValueError(f"exported, it differs by {worst:.1e}, more than {TOLERANCE:.0e}: not written")
    return worst, lengths
