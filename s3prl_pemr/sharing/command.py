"""A model for use elsewhere.

  OUT.onnx  front end and encoder for onnxruntime, browsers, C++: waveforms (batch, samples) -> frames
  OUT.pt2   the same for torch.export.load, without this package
  OUT       a folder: config.json, model.safetensors, a card; what s3prl_pemr.load, from_pretrained,
            transformers and s3prl's --hub huggingface read

Files hear waveforms of any length, one length a batch, and are compared with the model at three lengths
before they are written.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from s3prl_pemr.launch.outputs import check_file, check_folder
from s3prl_pemr.report.printable import visible

HELP = "a model as ONNX, torch.export's .pt2 or a folder of the Hugging Face hub"
EXAMPLE = "s3prl-pemr export result/pretrain/first/states-500.ckpt pemr.onnx"
FILES = (".onnx", ".pt2")
NO_FOLDER = (".bin", ".ckpt", ".mlmodel", ".pb", ".pt", ".pth", ".safetensors", ".tflite", ".torchscript")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    add = parser.add_argument
    add(
        "model",
        metavar="CKPT",
        help="a checkpoint, a folder of save_pretrained, or pemr: the shipped weights",
    )
    add("out", metavar="OUT", type=Path, help=".onnx, .pt2, or a folder to be made")


def run(args: argparse.Namespace) -> int:
    """Carry out the command. Returns the exit status; raises ValueError (one line)."""
    is_file = args.out.suffix in FILES
    if is_file:
        check_file(args.out, "OUT")
    elif args.out.suffix in NO_FOLDER:
        raise ValueError(f"OUT {args.out}: .onnx, .pt2, or a folder")
    else:
        check_folder(args.out, "OUT")
    import s3prl_pemr

    model = s3prl_pemr.load(args.model)
    if is_file:
        _write_file(model, args.out)
    else:
        model.save_pretrained(args.out)
        print(visible(f"saved to {args.out}/: its README.md is the card, to be filled in"))
    return 0


def _write_file(model, out: Path) -> None:
    from s3prl_pemr import __version__
    from s3prl_pemr.safety.whole_file import write_whole

    from .exported import TOLERANCE, as_onnx, as_pt2, largest_difference
    from .portable import portable

    about = {
        "sample_rate": model.sample_rate,
        "samples_per_frame": model.samples_per_frame,
        "frame_values": model.output_dim,
        "method": model.method or "",
        "s3prl_pemr": __version__,
    }
    content, run_again = (as_onnx if out.suffix == ".onnx" else as_pt2)(portable(model), about)
    worst, lengths = largest_difference(model, run_again)
    write_whole(out, content)
    ends = (
        f"waveforms (batch, samples) at {model.sample_rate} Hz -> frames (batch, frames, {model.output_dim})"
    )
    print(visible(f"saved to {out}, {len(content) / 1e6:.1f} MB: {ends}"))
    at, apart = ", ".join(map(str, lengths)), f"{worst:.0e} of the largest value off the model"
    print(f"read again: {apart} at {at} samples, {TOLERANCE:.0e} allowed")
