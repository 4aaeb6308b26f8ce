"""-o, and `=` wherever a user may have one."""

from argparse import Namespace

import pytest
import torch

from s3prl_pemr.launch.override import options, override
from s3prl_pemr.launch.pretrain_arguments import apply_override


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3", 3),
        ("1.0e-3", 1e-3),
        ("['dev', 'test']", ["dev", "test"]),
        ("{'name': 'a=b'}", {"name": "a=b"}),
        ("None", None),
        ("True", True),
        ("5 * 60", 300),
        ("all", "all"),
        ("sys", "sys"),
        ("'all'", "all"),
        ("/data/rate=16000/store", "/data/rate=16000/store"),
        ("a=b", "a=b"),
        ("my music", "my music"),
        ("", ""),
    ],
)
def test_values(text, value):
    assert options(f"config.x={text}") == [("config.x", value)]


def test_both_commands_take_a_value_with_an_equals_sign():
    text = "config.datarc.store=/data/rate=16000/s,,config.runner.n=2"
    expected = {"datarc": {"store": "/data/rate=16000/s"}, "runner": {"n": 2, "m": 1}}
    config, args = {"runner": {"m": 1}, "datarc": None}, Namespace(seed=1)
    override(f"{text},,args.seed=5", args, config)
    assert config == expected
    assert args.seed == 5
    config, model = apply_override(f"{text},,model.name=a=b", {"runner": {"m": 1}}, {})
    assert config == expected
    assert model == {"model": {"name": "a=b"}}


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("config.a=1, config.b=2", "-o ...=1, config.b=2: settings are separated by two commas"),
        ("config.x", "-o config.x: expected key=value"),
        ("=3", "-o =3: expected key=value"),
        ("runner.n=3", "-o runner.n=3: a key begins with config."),
        ("args.a.b=3", "-o args.a.b=3: a key begins with config."),
        ("config.runner.m.n=3", "-o config.runner.m.n=3: m is 1 and holds no other settings"),
    ],
)
def test_what_is_no_setting_is_one_line(text, line):
    with pytest.raises(ValueError, match=f"^{line}") as caught:
        override(text, Namespace(), {"runner": {"m": 1}})
    assert "\n" not in str(caught.value)


def test_a_downstream_run_with_equals_signs(run_downstream, tmp_path):
    folder = tmp_path / "lr=1"
    settings = f"config.note=a=b,,config.runner.total_steps=4,,config.place={folder}"
    run_downstream("-m", "train", "-u", "tiny_random", "-d", "counting", "-p", folder, "-o", settings)
    saved = torch.load(folder / "dev-best.ckpt", map_location="cpu")
    assert (saved["Config"]["note"], saved["Config"]["place"]) == ("a=b", str(folder))
    with pytest.raises(SystemExit, match="^error: -o config.note: expected key=value"):
        run_downstream(
            "-m", "train", "-u", "tiny_random", "-d", "counting", "-p", folder, "-o", "config.note"
        )
