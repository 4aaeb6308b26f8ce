"""The commands of the task's README that stand for the paper's rows."""

import re
import shlex
import subprocess

import pytest
import yaml
from places import ROOT
from s3prl.downstream.music_tagging.config import TaggingConfig
from s3prl.utility.helper import override

from s3prl_pemr.launch.pretrain_arguments import default_configs, parse_arguments
from s3prl_pemr.settings import parse

TASK = ROOT / "downstream" / "music_tagging"


def commands():
    """The table's rows as the shell expands them: (row, arguments)."""
    text = (TASK / "README.md").read_text()
    variables = "\n".join(re.findall(r"^    ([A-Z_]+=.*)$", text, re.MULTILINE))
    for row, command in re.findall(r"^\| ([^|]+) \| `(\$RUN [^`]+)`", text, re.MULTILINE):
        script = f"{variables}\nprintf '%s\\n' {command}"
        yield (
            row,
            subprocess.run(["bash", "-eu", "-c", script], capture_output=True, text=True, check=True).stdout,
        )


@pytest.fixture(scope="module")
def rows():
    return {row: output.splitlines() for row, output in commands()}


def settings(arguments):
    """The yaml that a row starts from, and with its -o."""
    named = arguments[arguments.index("-c") + 1] if "-c" in arguments else "config.yaml"
    plain, config = (yaml.safe_load((TASK / named).read_text()) for _ in range(2))
    override(arguments[arguments.index("-o") + 1], None, config)
    return plain, config


def test_every_row_names_settings_that_there_are(rows):
    assert len(rows) >= 12
    for row, arguments in rows.items():
        assert arguments[:3] == shlex.split("s3prl-pemr downstream -m"), row
        plain, config = settings(arguments)
        task = parse(TaggingConfig, config["downstream_expert"], row)
        assert task.datarc.store in ("MTAT_STORE", "GTZAN_STORE"), row
        assert config["runner"].keys() == plain["runner"].keys(), row  # no key that nothing reads
        assert config["runner"]["total_steps"] % config["runner"]["eval_step"] == 0, row
        assert ("-f" in arguments) == (task.scoring == "segments"), row
        assert not ("-f" in arguments and "--feature_cache" in arguments), row


def test_rows_differ_as_the_paper_has_them(rows):
    tasks = {
        row: parse(TaggingConfig, settings(arguments)[1]["downstream_expert"], row)
        for row, arguments in rows.items()
    }
    assert tasks["2, PEMR* (MLP)"].modelrc.kind == "mlp"
    standardised = {row for row, task in tasks.items() if task.modelrc.standardise}
    assert standardised == {"GTZAN genre (not in the paper)"}  # the paper's heads are plain
    assert tasks["2, PEMR"].modelrc.kind == tasks["4, PEMR, linear"].modelrc.kind == "linear"
    for name in ("PEMR", "FCN"):
        fractions = [tasks[f"3, {name}, {share}"].datarc.label_fraction for share in ("1 %", "10 %")]
        assert fractions == [0.01, 0.1]
    assert tasks["GTZAN genre (not in the paper)"].task == "genre"
    assert "pemr_random" in rows["2, FCN-4 (supervised)"] and "-f" in rows["2, FCN-4 (supervised)"]


def test_table_4_is_pretrained_on_all_of_gtzan_and_the_others_on_the_training_clips():
    text = (TASK / "README.md").read_text().replace("\\\n", " ")
    commands = [
        shlex.split(line) for line in re.findall(r"^    (s3prl-pemr pretrain .*)$", text, re.MULTILINE)
    ]
    data = {}
    for arguments in commands:
        args = parse_arguments(arguments[2:])
        data[args.expname] = default_configs(args)[0]["pretrain_expert"]["datarc"]
    assert {name: (found["store"], found["split"]) for name, found in data.items()} == {
        "mtat": ("MTAT_STORE", "auto"),
        "gtzan": ("GTZAN_STORE", "all"),
    }
