"""The command line of run_pretrain.py and the configs it stands for."""

from __future__ import annotations

import argparse
import importlib.util
import logging
import pkgutil
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

from s3prl import pretrain

from s3prl_pemr.methods import METHODS, default_settings
from s3prl_pemr.settings import read_yaml
from s3prl_pemr.toolkit.registration import plugin_folders

from .override import options, set_option
from .preset import HELP as PRESET_HELP
from .preset import PRESETS

logger = logging.getLogger(__name__)
DEFAULT_SEED = 1337  # the toolkit's


def parse_arguments(argv: Sequence[str]) -> Namespace:
    """The toolkit's flags (s3prl/run_pretrain.py:35), and --toolkit_runner."""
    ours = ", ".join(METHODS)
    parser = argparse.ArgumentParser(
        prog="s3prl-pemr pretrain",
        description="Self-supervised pretraining of an s3prl upstream.",
        epilog="example:\n  s3prl-pemr pretrain -u pemr -n NAME -o config.pretrain_expert.datarc.store=STORE",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("-u", "--upstream", help=f"what to pretrain: {ours}, or one of s3prl's own")
    parser.add_argument("-n", "--expname", help="save at result/pretrain/EXPNAME")
    parser.add_argument("-p", "--expdir", help="save at EXPDIR")
    parser.add_argument("-a", "--auto_resume", action="store_true", help="go on if EXPDIR holds checkpoints")
    parser.add_argument("-e", "--past_exp", metavar="CKPT", help="go on from a checkpoint or an EXPDIR")
    parser.add_argument(
        "-c",
        "--config",
        metavar="YAML",
        help="runner config, a file or the name of one of PEMR's; default: config_runner.yaml or "
        "NAME_runner.yaml",
    )
    parser.add_argument(
        "-g",
        "--upstream_config",
        metavar="YAML",
        help="model config; default: NAME.yaml, of pemr config_model.yaml",
    )
    parser.add_argument(
        "-o", "--override", metavar="LIST",
        help='settings over the configs, e.g. "config.runner.n_epochs=10,,model.mask_ratio=0.2"',
    )  # fmt: skip
    parser.add_argument("--init", metavar="CKPT", help="begin with the weights of another run's checkpoint")
    parser.add_argument(
        "--init_parts", metavar="PART", nargs="+",
        help="take only these from it, e.g. frontend encoder projector (default: all that both have)",
    )  # fmt: skip
    parser.add_argument("--preset", choices=PRESETS, help=PRESET_HELP)
    parser.add_argument("--seed", type=int, help=f"default: {DEFAULT_SEED}")
    parser.add_argument("--device", help="default: cuda where there is one, else cpu")
    parser.add_argument(
        "--deterministic", action="store_true",
        help="on CUDA: the same kernels every time, which are slower; on a CPU runs are equal without it",
    )  # fmt: skip
    parser.add_argument("--multi_gpu", action="store_true", help="the toolkit's DataParallel; ours: torchrun")
    parser.add_argument(
        "--toolkit_runner", action="store_true", help="train in s3prl's own pretraining Runner"
    )
    args = parser.parse_args(argv)
    if not args.past_exp and not args.expdir and not args.expname:
        raise ValueError("where to save the experiment? pass -n NAME (result/pretrain/NAME) or -p DIRECTORY")
    if args.expdir is None and args.expname is not None:
        args.expdir = f"result/pretrain/{args.expname}"
    return args


def experiment_folder(args: Namespace) -> Path:
    """-p or -n; else, resuming with -e, where the checkpoint lies now."""
    if args.expdir is not None:
        return Path(args.expdir)
    past = Path(args.past_exp)
    return past if past.is_dir() else past.parent


def default_configs(args: Namespace) -> tuple[dict, dict]:
    """Runner and model config of a new run, after -o.

    Raises:
        ValueError: one line: unknown -u, or a config that is not there.
    """
    if args.upstream is None:
        raise ValueError("what to pretrain? pass -u, e.g. -u pemr")
    runner_yaml, model_yaml = _default_files(args.upstream, args.toolkit_runner)
    args.config = args.config or str(runner_yaml)
    beside = default_settings("pemr")[0].parent / args.config
    if not Path(args.config).is_file() and beside.is_file():  # a name: config_demo.yaml
        args.config = str(beside)
    args.upstream_config = args.upstream_config or str(model_yaml)
    for flag, path in (("-c", args.config), ("-g", args.upstream_config)):
        if not Path(path).is_file():
            raise ValueError(
                f"{flag} {path}: no such file (s3prl's package has no yaml of its own upstreams: copy it "
                "from the s3prl repository)"
            )
    config, model = apply_override(
        args.override, read_yaml(args.config, "-c"), read_yaml(args.upstream_config, "-g")
    )
    if is_ours(args.upstream) and model.setdefault("method", args.upstream) != args.upstream:
        raise ValueError(f"-g {args.upstream_config} is for -u {model['method']}, not for -u {args.upstream}")
    if isinstance(config.get("pretrain_expert"), dict) and is_ours(args.upstream):
        datarc = config["pretrain_expert"].setdefault("datarc", {})
        datarc.setdefault("seed", DEFAULT_SEED if args.seed is None else args.seed)
    return config, model


def _default_files(upstream: str, toolkit_runner: bool) -> tuple[Path, Path]:
    if is_ours(upstream):
        runner_yaml, model_yaml = default_settings(upstream)
        if toolkit_runner and upstream != "pemr":
            raise ValueError(f"--toolkit_runner is for -u pemr: leave it out to train -u {upstream} in ours")
        return (runner_yaml.with_name("config_toolkit.yaml") if toolkit_runner else runner_yaml), model_yaml
    own = {folder.name for folder in plugin_folders("pretrain")}
    modules = [module.name for module in pkgutil.iter_modules(pretrain.__path__) if module.ispkg]
    known = [name for name in modules if name not in own]
    if upstream not in known:
        raise ValueError(
            f"-u {upstream}: nothing to pretrain by this name; there are {', '.join([*METHODS, *known])}"
        )
    folder = Path(importlib.util.find_spec(f"s3prl.pretrain.{upstream}").submodule_search_locations[0])
    runner_yaml = "config_toolkit.yaml" if toolkit_runner else "config_runner.yaml"
    return folder / runner_yaml, folder / "config_model.yaml"


def warn_on_resume(args: Namespace, checkpoint: str) -> None:
    """A run that goes on has its settings; a command that is repeated with -a may still name them."""
    given = {
        "-c": args.config, "-g": args.upstream_config, "--seed": args.seed, "--init": args.init
    }  # fmt: skip
    flags = [flag for flag, value in given.items() if value is not None]
    if flags:
        logger.warning("%s: not read, the settings in %s are in force", ", ".join(flags), checkpoint)


def saved_config(states: dict) -> dict:
    """The runner config of a checkpoint; one of 0.1.0 without a split is given '': it heard all tracks."""
    config = states["Config"]
    if "Data" in states and "Heard" not in states:
        config["pretrain_expert"]["datarc"].setdefault("split", "")
    return config


def apply_override(text: str | None, config: dict, model: dict) -> tuple[dict, dict]:
    """-o for both configs.

    A key that starts with `config.` is the runner config's, every other one the model config's.

    Raises:
        ValueError: one line: not of the form key=value.
    """
    for key, value in options(text):
        fields = key.split(".")
        if fields[0] == "config" and len(fields) > 1:
            set_option(config, key, value, fields[1:])
        else:
            set_option(model, key, value, fields)
    return config, model


def is_ours(upstream: str) -> bool:
    """Whether -u names a method of our runner."""
    return upstream in METHODS
