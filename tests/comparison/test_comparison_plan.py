"""Plans: those that come along are whole, and what is wrong with one is one line."""

import pytest
import yaml
from s3prl import hub

import s3prl_pemr  # noqa: F401 - fills the hub
from s3prl_pemr.comparison.cells import Place, cells_of
from s3prl_pemr.comparison.plan_file import SHIPPED, plan_content, read_plan, shipped_plans
from s3prl_pemr.launch.downstream_arguments import complete_arguments
from s3prl_pemr.launch.pretrain_arguments import apply_override, default_configs, parse_arguments
from s3prl_pemr.methods import METHODS

STORES = ("mtat", "gtzan", "shs100k", "covers80", "music")
MARBLE = ("instrument", "pitch", "top50tags", "genre", "jamendo_instrument", "moodtheme", "emo", "giantsteps")
PLAN = {
    "title": "t", "reference": "a", "stores": {"music": "STORE"},
    "tasks": {"tagging": {"store": "music"}}, "rows": [{"name": "a", "upstream": "fbank"}],
}  # fmt: skip


class Commands(dict):
    """Stands for Stages: what would be run, by name."""

    def run(self, name, arguments):
        self[name] = arguments


@pytest.mark.parametrize("name", shipped_plans())
def test_every_command_of_a_shipped_plan_is_one_that_a_user_could_type(name, tmp_path, monkeypatch):
    given = plan_content(SHIPPED / f"{name}.yaml")["stores"]
    plan = read_plan(name, ",,".join(f"stores.{store}=X" for store, where in given.items() if not where))
    assert set(plan.stores) <= {*STORES, *MARBLE, "works"}
    place = Place(tmp_path, {store: tmp_path for store in plan.stores})
    runs, heads = cells_of(plan, place, plan.seeds[0])
    for run in runs:
        monkeypatch.setattr(type(run), "checkpoint", lambda self, milestone=0: tmp_path / "x.ckpt")
        assert run.run.method in METHODS
        commands = Commands()
        if not run.run.seconds:  # else the pace is read
            run.carry_out(commands)
            args = parse_arguments(commands["pretrain"][3:])
            config, model = default_configs(args)
            apply_override(args.override, config, model)
    for head in heads:
        assert head.upstream in hub.options()
        commands = Commands()
        head.carry_out(commands)
        if head.checkpoint is None and not head.task.preset:  # which reads the store
            _, args = complete_arguments(commands["head"][3:])
            assert args.config.endswith(".yaml")
        assert all(f"scores {split}" in commands for split in head.task.splits)
        assert ("-f" in commands["head"]) == head.row.trainable


def test_a_pretraining_begins_with_parts_of_others(tmp_path):
    plan = read_plan("settings_small", "stores.music=X")
    runs, _ = cells_of(plan, Place(tmp_path, {"music": tmp_path}), 1337)
    run = {run.name: run for run in runs}["pemr"]
    run.carry_out(commands := Commands())
    args = parse_arguments(commands["pretrain"][3:])
    assert (args.init, args.init_parts) == ("pemr", ["frontend", "transformer", "predictor"])
    plan = read_plan("settings", "stores.music=X,,pretrainings.pemr.init=pemr")
    assert {run.steps for run in plan.pretrainings.values()} == {6000}
    assert plan.pretrainings["pemr"].init == "pemr" and not plan.pretrainings["pemr"].init_parts


def test_demo_plans_need_nothing():
    for name in shipped_plans():
        if name.endswith("_demo"):
            assert all(where.startswith("demo:") for where in read_plan(name).stores.values())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"referense": "a"}, "Key 'referense' not in 'Plan'"),
        ({"reference": "b"}, "reference: 'b' is not one of a"),
        ({"stores": {"music": ""}}, "stores.music is empty: name the folder with -o stores.music=STORE"),
        ({"tasks": {"tagging": {"store": "misic"}}}, "store of task tagging: 'misic' is not one of music"),
        ({"tasks": {"tagging": {"store": "music", "task": "asr"}}}, "'asr' is not one of music_tagging"),
        ({"rows": [{"name": "a"}]}, "row a: has neither upstream nor pretrained"),
        ({"rows": [{"name": "a", "pretrained": "x"}]}, "pretrained of row a: 'x' is not one of"),
        ({"rows": [{"name": "a", "upstream": "x"}, {"name": "a ", "upstream": "x"}]}, "a name of its own"),
        (
            {"pretrainings": {"p": {"store": "music", "steps": 1, "seconds": 2.0}}},
            "steps or seconds, not both",
        ),
        (
            {"pretrainings": {"p": {"store": "music", "init_parts": ["frontend"]}}},
            "init_parts are parts of `init`, which is missing",
        ),
        ({"seeds": []}, "a plan has rows, tasks and seeds"),
        ({"maps": {"store": "misic", "rows": ["a"]}}, "store of maps: 'misic' is not one of music"),
        ({"maps": {"store": "music", "rows": ["b"]}}, "rows of maps: 'b' is not one of a"),
        ({"maps": {"store": "music"}}, "maps have a store and rows, or neither"),
        ({"maps": {"store": "music", "rows": ["a"], "clips": 4}}, "clips must be at least 5"),
    ],
)
def test_what_is_wrong_is_one_line(tmp_path, change, message):
    path = tmp_path / "plan.yaml"
    path.write_text(yaml.safe_dump({**PLAN, **change}))
    with pytest.raises(ValueError, match=message) as caught:
        read_plan(str(path))
    assert "\n" not in str(caught.value)


def test_plans_are_found_by_name_and_changed_on_the_command_line(tmp_path):
    with pytest.raises(ValueError, match="tabel6: no such plan; name a yaml file, or one of demo_full, "):
        read_plan("tabel6")
    (tmp_path / "p.yaml").write_text(yaml.safe_dump(PLAN))
    plan = read_plan(str(tmp_path / "p.yaml"), "stores.music=X,,seeds=[3,4]")
    assert (plan.stores["music"], plan.seeds) == ("X", [3, 4])
    (tmp_path / "p.yaml").write_text("rows: [")
    with pytest.raises(ValueError, match="p.yaml: while parsing"):
        read_plan(str(tmp_path / "p.yaml"))


def test_a_plan_extends_another(tmp_path):
    write = lambda name, content: (tmp_path / name).write_text(yaml.safe_dump(content))  # noqa: E731
    base, own = str(tmp_path / "base.yaml"), str(tmp_path / "own.yaml")
    write("base.yaml", {**PLAN, "title": "base", "seeds": [1, 2]})
    more = {"tasks": {"more": {"store": "music"}}, "rows": [{"name": "b", "upstream": "mel"}]}
    write("own.yaml", {"extends": base, "title": "own", **more})
    plan = read_plan(own, "rows.0.upstream=fbank_no_cmvn")
    assert [row.name for row in plan.rows] == ["a", "b"]
    assert list(plan.tasks) == ["tagging", "more"]
    assert (plan.title, plan.seeds, plan.rows[0].upstream) == ("own", [1, 2], "fbank_no_cmvn")
    write("base.yaml", {"extends": own, **PLAN})
    with pytest.raises(ValueError, match="own.yaml: .*base.yaml extends another plan itself"):
        read_plan(own)
    write("own.yaml", {"extends": "tabel6"})
    with pytest.raises(ValueError, match="own.yaml: tabel6: no such plan; name a yaml file, or one of "):
        read_plan(own)
    write("own.yaml", ["rows"])
    with pytest.raises(ValueError, match=r"own.yaml: a plan is a mapping: title, rows"):
        read_plan(own)


def test_the_long_demo_has_table_5_as_it_is():
    table, demo = read_plan("table5_demo"), read_plan("demo_full")
    assert [row for row in demo.rows if "covers" in row.tasks] == table.rows
    assert demo.tasks["covers"] == table.tasks["covers"]


def test_the_papers_numbers_are_in_the_papers_plans_alone():
    for name in shipped_plans():
        given = plan_content(SHIPPED / f"{name}.yaml")
        has = any("paper" in row for row in given["rows"])
        assert has == (name in ("table2", "table3", "table4", "table5", "table6"))
