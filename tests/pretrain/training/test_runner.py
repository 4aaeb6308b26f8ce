"""The runner: epochs, resume, checkpoints, logs, in one process."""

import json
import math

import pytest
import torch
from pretraining_runs import equal, load, log_lines, run
from s3prl.pretrain.training import checkpoint_files
from s3prl.pretrain.training.expert import UpstreamPretrainExpert
from tensorboardX.proto import event_pb2

from s3prl_pemr.store import AudioStore


def test_epochs_are_true_epochs(tmp_path, config, model_settings):
    # 14 tracks in batches of 4: 3 steps an epoch, 3 epochs
    runner = run(tmp_path, "run", config, model_settings)
    assert (runner.steps_per_epoch, runner.total_steps, runner.step) == (3, 9, 9)
    assert [(line["step"], line["epoch"]) for line in log_lines(tmp_path / "run")] == [
        (2, 0), (4, 1), (6, 1), (8, 2), (9, 2)
    ]  # fmt: skip


def test_checkpoints_are_pruned_and_milestones_kept(tmp_path, config, model_settings):
    run(tmp_path, "run", config, model_settings)
    names = sorted(p.name for p in (tmp_path / "run").glob("*.ckpt"))
    assert names == ["epoch-2.ckpt", "states-8.ckpt", "states-9.ckpt"]
    assert load(tmp_path / "run/epoch-2.ckpt")["Step"] == 6
    assert not list((tmp_path / "run").glob("*.partial"))


@pytest.mark.parametrize("stop", [2, 4])
def test_a_resumed_run_equals_an_uninterrupted_one(tmp_path, config, model_settings, stop):
    config["runner"] |= {"max_keep": 9, "log_step": 3}  # a log window straddles the stop
    config["scheduler"] = {"name": "linear_schedule_with_warmup", "num_warmup_steps": 3}
    whole = run(tmp_path, "whole", config, model_settings)
    for worker_count in (0, 2):
        states = load(tmp_path / f"whole/states-{stop}.ckpt")
        config["pretrain_expert"]["datarc"]["num_workers"] = worker_count
        states["Config"] = config
        name = f"resumed{worker_count}"
        resumed = run(tmp_path, name, config, model_settings, states=states)
        final, expected = (load(tmp_path / f"{n}/states-9.ckpt") for n in (name, "whole"))
        for key in ("Step", "Optimizer", "Scheduler", "Upstream", "Random", "Records"):
            assert equal(final[key], expected[key]), key
        assert equal(resumed.expert.method.state_dict(), whole.expert.method.state_dict())
        after = [line for line in log_lines(tmp_path / "whole") if line["step"] > stop]
        assert log_lines(tmp_path / name) == after


def test_the_same_seed_gives_the_same_run_and_another_another(tmp_path, config, model_settings):
    config["runner"]["n_epochs"] = 1
    one, same = (run(tmp_path, name, config, model_settings) for name in ("one", "same"))
    assert equal(one.expert.method.state_dict(), same.expert.method.state_dict())
    config["pretrain_expert"]["datarc"]["seed"] = 8
    other = run(tmp_path, "other", config, model_settings)
    assert not equal(one.expert.method.state_dict(), other.expert.method.state_dict())


def test_lines_of_steps_that_will_be_done_again_are_dropped(tmp_path, config, model_settings):
    config["runner"] |= {"save_step": 4, "max_keep": 9}
    run(tmp_path, "run", config, model_settings)
    expected = log_lines(tmp_path / "run")
    (tmp_path / "run/states-9.ckpt").unlink()  # as if killed after step 8's checkpoint, with step 9 logged
    run(tmp_path, "run", config, model_settings, states=load(tmp_path / "run/states-8.ckpt"))
    assert log_lines(tmp_path / "run") == expected


def test_a_checkpoint_is_written_before_an_older_one_goes(tmp_path, config, model_settings, monkeypatch):
    config["runner"]["max_keep"] = 1
    present = []
    prune = checkpoint_files.prune
    monkeypatch.setattr(
        checkpoint_files, "prune",
        lambda folder, keep: (present.append(len(checkpoint_files.checkpoints(folder))), prune(folder, keep)),
    )  # fmt: skip
    run(tmp_path, "run", config, model_settings)
    assert max(present) == 2
    assert len(checkpoint_files.checkpoints(tmp_path / "run")) == 1


def test_a_failed_write_leaves_the_older_checkpoint(tmp_path, monkeypatch):
    path = tmp_path / "states-1.ckpt"
    checkpoint_files.save({"Step": 1}, path)
    monkeypatch.setattr(torch, "save", lambda _, file: file.write(b"half") and 1 / 0)
    with pytest.raises(ZeroDivisionError):
        checkpoint_files.save({"Step": 2}, path)
    monkeypatch.undo()
    assert load(path) == {"Step": 1}
    assert checkpoint_files.latest(tmp_path) == path


def test_tensorboard_has_the_listed_curves_and_a_picture(tmp_path, config, model_settings):
    run(tmp_path, "run", config, model_settings)
    content = next((tmp_path / "run").glob("events.out.tfevents.*")).read_bytes()
    tags, offset = {}, 0
    while offset < len(content):  # TFRecord: length (8), crc (4), event, crc (4)
        size = int.from_bytes(content[offset : offset + 8], "little")
        event = event_pb2.Event.FromString(content[offset + 12 : offset + 12 + size])
        for value in event.summary.value:
            tags.setdefault(value.tag, []).append(event.step)
        offset += 16 + size
    curves = {
        "loss", "prediction_loss", "positive_loss", "negative_loss", "embedding_std", "learning_rate",
        "gradient_norm_transformer", "gradient_norm_encoder", "clips_per_second", "negative_gradient_ratio",
        "effective_rank_representations", "effective_rank_projections",
    }  # fmt: skip
    assert {f"pemr/train-{curve}" for curve in curves} <= set(tags)
    assert tags["pemr/views"] == tags["pemr/mask_by_place"] == tags["pemr/train-mask_place_share"] == [4, 8]
    assert tags["pemr/train-loss"] == [2, 4, 6, 8, 9]


def test_gradients_are_clipped_part_by_part(tmp_path, config, model_settings, monkeypatch):
    config["runner"] |= {"n_epochs": 1, "gradient_clipping": 0.5}
    norms = []
    step = torch.optim.Adam.step

    def watched(self, *args, **kwargs):
        groups = [p for group in self.param_groups for p in group["params"]]
        norms.append(groups)
        norms[-1] = {id(p): p.grad.norm().item() for p in groups}
        return step(self, *args, **kwargs)

    monkeypatch.setattr(torch.optim.Adam, "step", watched)
    runner = run(tmp_path, "run", config, model_settings)
    for part in runner.expert.method.parts().values():
        norm = math.sqrt(sum(norms[0][id(p)] ** 2 for p in part))
        assert norm == pytest.approx(0.5, rel=1e-4)  # each part has the whole allowance


def test_bf16_runs_and_stays_near_fp32(tmp_path, config, model_settings):
    config["runner"] |= {"n_epochs": 1, "log_step": 1}
    run(tmp_path, "fp32", config, model_settings)
    config["runner"]["precision"] = "bf16"
    run(tmp_path, "bf16", config, model_settings)
    full, half = (log_lines(tmp_path / name)[0]["loss"] for name in ("fp32", "bf16"))
    assert half == pytest.approx(full, rel=0.05)
    assert half != full


def test_probe_is_asked_at_the_end_of_epochs(tmp_path, config, model_settings, store, caplog):
    caplog.set_level("INFO")
    config["runner"] |= {"probe_every_epochs": 2, "probe_store": store, "probe_neighbours": 3}
    run(tmp_path, "run", config, model_settings)
    assert "step 6: {'knn_roc_auc'" in caplog.text


def test_what_is_not_finite_is_neither_saved_nor_gone_on_with(tmp_path, config, model_settings):
    config["optimizer"]["lr"] = 1e30
    config["runner"] |= {"log_step": 3, "save_step": 2, "max_keep": 1}
    with pytest.raises(ValueError, match=r"not finite at step 2: go on from the last checkpoint") as error:
        run(tmp_path, "run", config, model_settings)
    assert "\n" not in str(error.value)
    found = json.loads((tmp_path / "run/not_finite.json").read_text())
    assert found["step"] == 2 and len(found["tracks"]) == 4 and found["tracks"][0] in str(error.value)
    assert not list((tmp_path / "run").glob("*.ckpt"))


def test_a_torn_line_of_the_log_does_not_stop_a_resume(tmp_path, config, model_settings):
    config["runner"]["max_keep"] = 9
    run(tmp_path, "run", config, model_settings)
    expected = log_lines(tmp_path / "run")
    with (tmp_path / "run/log.jsonl").open("a") as file:
        file.write('{"step": 10, "lo')
    run(tmp_path, "run", config, model_settings, states=load(tmp_path / "run/states-6.ckpt"))
    assert log_lines(tmp_path / "run") == expected


def test_the_batch_that_gave_a_nan_is_named_at_the_next_look(tmp_path, config, model_settings, monkeypatch):
    """Found at step 9, named as what it was: step 5, the second batch of the second epoch."""
    heard, forward = [], UpstreamPretrainExpert.forward

    def poisoned(expert, batch, records, **_):
        heard.append(batch.crops)
        loss, records = forward(expert, batch, records)
        return (loss * math.nan if len(heard) == 5 else loss), records

    monkeypatch.setattr(UpstreamPretrainExpert, "forward", poisoned)
    config["runner"] |= {"log_step": 9, "save_step": 9, "picture_step": 0, "keep_every_epochs": 0}
    with pytest.raises(ValueError, match="not finite at step 5: "):
        run(tmp_path, "run", config, model_settings)
    store = AudioStore(config["pretrain_expert"]["datarc"]["store"])
    names = json.loads((tmp_path / "run/not_finite.json").read_text())["tracks"]
    for name, crop in zip(names, heard[4], strict=False):  # the first crops are of these very tracks
        assert crop[:64].numpy().tobytes() in store.read(store.tracks.index(name)).tobytes()
