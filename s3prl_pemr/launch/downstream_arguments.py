"""The command line of run_downstream.py: errors in one line, and what the toolkit does not find itself."""

from __future__ import annotations

import argparse
import difflib
import importlib.util
import pkgutil
from pathlib import Path

from s3prl import downstream, hub
from s3prl.pretrain.training.checkpoint_files import checkpoints
from s3prl.upstream.adapter.checkpoint import SHIPPED, read_checkpoint, shipped_weights

from s3prl_pemr.features.attach import CacheArguments
from s3prl_pemr.features.half_precision import PRECISIONS
from s3prl_pemr.loops.device import choose_device
from s3prl_pemr.loops.inference import files_of
from s3prl_pemr.safety.damage import refuse_damaged_newest
from s3prl_pemr.settings import read_yaml
from s3prl_pemr.toolkit.compat import hugging_face_is_usable

from .outputs import check_folder
from .preset import PRESETS, with_preset

# the process group is made by s3prl_pemr.loops.torchrun
OWN_FLAGS = ("__local_rank", "__feature_cache", "__feature_cache_gb", "__features_precision", "__preset")
NO_CACHE = "none"
OWN_HELP = """example:
  s3prl-pemr downstream -m train -u pemr -k CKPT -d music_tagging -n NAME \\
      -o config.downstream_expert.datarc.store=STORE

added to s3prl's command line:
  --feature_cache FOLDER  keep a frozen upstream's features on disk: later epochs and runs read them; default
                          for music_tagging: `features` in the run's folder; none: computed in each epoch
  --feature_cache_gb N    largest size of the folder, default 50
  --features_precision P  bf16: a frozen upstream under autocast, for GPUs; default fp32
  --preset quick          a first result in about ten minutes on two CPU cores; default: paper, the yaml
  -m inference -t PATH... files and folders of audio; what cannot be read is named, the others are scored
"""


def complete_arguments(
    argv: list[str], local_rank: int | None = None
) -> tuple[list[str], argparse.Namespace]:
    """Adds what the toolkit's own parser (s3prl/run_downstream.py:19) leaves out or looks for elsewhere.

    Args:
        argv: without the program's name.
        local_rank: of this process under torchrun.

    Returns: the toolkit's arguments, and those that we read ourselves, with `device` chosen.

    Raises: ValueError (one line) for what the user has to correct.
    """
    args, _ = _parser().parse_known_args(argv)
    argv = _without_our_own(argv)
    args.files = None
    if args.mode == "inference":
        args.files = files_of([path for some in args.evaluate_split or [] for path in some])
        argv = _without_split(argv)
    args.device = choose_device(args.device, local_rank)
    added = ["--device", args.device]
    args.of_today = {}
    if _resumes(args):  # a checkpoint holds the rest
        args.of_today["expdir"] = str(run_folder(args))
        if args.upstream_ckpt:
            args.of_today["upstream_ckpt"] = args.upstream_ckpt
    else:
        _check_names(args)
        if args.upstream in SHIPPED and not args.upstream_ckpt and args.hub == "torch":
            args.upstream_ckpt = str(shipped_weights(args.upstream))  # a head keeps a copy of what -k names
            added += ["-k", args.upstream_ckpt]
        check_folder(run_folder(args), "the experiment's folder")
        config = _find_config(args.downstream, args.config)
        read_yaml(config, "-c")  # s3prl/run_downstream.py:141 loads tags of Python's
        if config != args.config:
            args.config = config
            added += ["-c", config]
        if args.preset == "quick":
            settings = with_preset(
                *("downstream", args.preset, args.override, args.device, args.downstream),
                trained=args.upstream_trainable,
            )
            added += ["-o", settings]  # the last one counts
    if args.feature_cache and args.feature_cache != NO_CACHE:
        check_folder(args.feature_cache, "--feature_cache")
    if args.init_ckpt:
        if not Path(args.init_ckpt).is_file():
            raise ValueError(f"-i {args.init_ckpt}: no such checkpoint")
        _refuse_unusable([Path(args.init_ckpt)])
    if args.push_to_hf_hub and not hugging_face_is_usable():
        raise ValueError("--push_to_hf_hub needs huggingface_hub<1")
    return [*argv, *added], args


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(add_help=False, argument_default=None, allow_abbrev=False)
    parser.add_argument("-d", "--downstream")
    parser.add_argument("-u", "--upstream")
    parser.add_argument("-k", "--upstream_ckpt")
    parser.add_argument("-m", "--mode")
    parser.add_argument("-t", "--evaluate_split", nargs="+", action="append")
    parser.add_argument("-c", "--config")
    parser.add_argument("-e", "--past_exp")
    parser.add_argument("-i", "--init_ckpt")
    parser.add_argument("-n", "--expname")
    parser.add_argument("-p", "--expdir")
    parser.add_argument("-a", "--auto_resume", action="store_true")
    parser.add_argument("--hub", default="torch")
    parser.add_argument("--push_to_hf_hub")
    parser.add_argument("--device")
    parser.add_argument("--backend")
    parser.add_argument("--feature_cache")
    parser.add_argument("--features_precision", choices=PRECISIONS, default="fp32")
    parser.add_argument("--preset", choices=PRESETS)
    parser.add_argument("-o", "--override")
    parser.add_argument("--feature_cache_gb", type=float, default=CacheArguments.max_gigabytes)
    # Read and not used: without them the parser would take -f and -r for the start of a joined -fd, -ra ...
    parser.add_argument("-f", "--upstream_trainable", action="store_true")
    parser.add_argument("-r", "--upstream_refresh", action="store_true")
    return parser


def cache_arguments(args: argparse.Namespace) -> CacheArguments | None:
    """What --feature_cache asks for; None for `none`."""
    if args.feature_cache == NO_CACHE:
        return None
    by_default = args.feature_cache is None
    folder = str(run_folder(args) / "features") if by_default else args.feature_cache
    return CacheArguments(folder, args.feature_cache_gb, by_default)


def _without_our_own(argv: list[str]) -> list[str]:
    """Without flags that the toolkit's parser does not know, or is not to act on."""
    kept = []
    skip_value = False
    for argument in argv:
        if skip_value:
            skip_value = False
        elif argument.partition("=")[0].replace("-", "_") in OWN_FLAGS:
            skip_value = "=" not in argument
        else:
            kept.append(argument)
    return kept


def _without_split(argv: list[str]) -> list[str]:
    """Without -t and its values: the toolkit takes one, which it asserts to be a file."""
    kept, inside = [], False
    for argument in argv:
        begins = argument.startswith(("-t", "--evaluate_split")) and not argument.startswith("--t")
        inside = begins or (inside and not argument.startswith("-"))
        if not inside:
            kept.append(argument)
    return kept


def _resumes(args: argparse.Namespace) -> bool:
    if args.past_exp:
        past = Path(args.past_exp)
        if not past.exists():
            raise ValueError(f"-e {args.past_exp}: no such checkpoint or experiment directory")
        if past.is_dir() and not checkpoints(past):
            raise ValueError(
                f"-e {args.past_exp}: no states-*.ckpt in this directory; pass a checkpoint file"
            )
        _refuse_unusable(list(checkpoints(past).values()) if past.is_dir() else [past])
        return True
    if not args.expdir and not args.expname:
        raise ValueError(
            "where to save the experiment? pass -n NAME (result/downstream/NAME) or -p DIRECTORY"
        )
    found = list(checkpoints(run_folder(args)).values()) if args.auto_resume else []
    if found:
        _refuse_unusable(found)
    return bool(found)


def _refuse_unusable(found: list[Path]) -> None:
    """Raises ValueError (one line) where the newest is damaged, or none of run_downstream.py's."""
    refuse_damaged_newest(found)
    states = read_checkpoint(found[-1], needed=(), writer="run_downstream.py")
    if "Args" not in states:
        what = f"of `pretrain -u {states['Method']}`" if "Method" in states else "not of run_downstream.py"
        raise ValueError(f"-e {found[-1]}: {what}; -e wants a head's checkpoint, an upstream's goes to -k")


def run_folder(args: argparse.Namespace) -> Path:
    """Where the run writes: of -e without -p or -n, where the checkpoint lies now."""
    if args.expdir or args.expname:
        return Path(args.expdir or f"result/downstream/{args.expname}")
    past = Path(args.past_exp)
    return past if past.is_dir() else past.parent


def _check_names(args: argparse.Namespace) -> None:
    if args.downstream is None:
        raise ValueError("which task? pass -d, e.g. -d music_tagging")
    if args.upstream is None:
        raise ValueError("which upstream? pass -u, e.g. -u pemr or -u fbank_no_cmvn")
    if args.hub == "torch" and args.upstream not in hub.options():
        raise ValueError(_unknown("-u", args.upstream, "upstream", hub.options(), "-h lists them all"))
    tasks = [module.name for module in pkgutil.iter_modules(downstream.__path__) if module.ispkg]
    if args.downstream not in tasks:
        raise ValueError(_unknown("-d", args.downstream, "task", tasks, f"there are {', '.join(tasks)}"))


def _unknown(flag: str, name: str, kind: str, known: list[str], otherwise: str) -> str:
    near = difflib.get_close_matches(name, known, n=3)
    return f"{flag} {name}: unknown {kind}; " + (f"did you mean {' or '.join(near)}?" if near else otherwise)


def _find_config(task: str, name: str | None) -> str:
    """A file, else one of the task's own yaml files by its name, else its config.yaml.

    s3prl/run_downstream.py:139 looks in the working directory, and s3prl's wheel has no task's yaml.
    """
    if name and Path(name).is_file():
        return name
    spec = importlib.util.find_spec(f"s3prl.downstream.{task}")
    folders = [Path(spec.submodule_search_locations[0]), Path("downstream") / task]
    for folder in folders:
        if (folder / (name or "config.yaml")).is_file():
            return str(folder / (name or "config.yaml"))
    if name:
        found = {path.resolve() for folder in folders for path in folder.rglob("*.yaml")}
        named = sorted(str(path) for path in found if path.name == name)
        if len(named) > 1:
            raise ValueError(f"-c {name}: there are several, say which: {', '.join(named)}")
        if named:
            return named[0]
        there = sorted({path.name for path in found})
        hint = f"; the task has {', '.join(there)}" if there else ""
        raise ValueError(f"-c {name}: no such file{hint}")
    raise ValueError(
        f"-d {task}: s3prl's package has no config of its own tasks; pass -c CONFIG, e.g. a copy of "
        f"s3prl/downstream/{task}/config.yaml from the s3prl repository"
    )
