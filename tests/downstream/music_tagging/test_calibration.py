import numpy as np
import pytest
import torch
from s3prl.downstream.music_tagging.labels.task import TASKS
from s3prl.downstream.music_tagging.scoring.calibration import (
    calibration,
    expected_calibration_error,
    fitted_temperature,
    told,
)


def test_the_error_by_hand():
    """Two bins: .9 said three times and true twice, .1 said once and false: (|2 - 2.7| + |0 - .1|) / 4."""
    confidence = np.array([0.9, 0.9, 0.9, 0.1])
    correct = np.array([True, True, False, False])
    assert expected_calibration_error(confidence, correct) == pytest.approx((0.7 + 0.1) / 4)
    assert expected_calibration_error(np.ones(3), np.ones(3, bool)) == 0


@pytest.mark.parametrize("kind", ["tags", "genre"])
def test_the_temperature_that_made_the_targets_is_found(kind):
    generator = torch.Generator().manual_seed(0)
    task, true = TASKS[kind], 3 * torch.randn(20_000, 4, generator=generator)
    probabilities = task.scores(true)
    if kind == "tags":
        targets = torch.bernoulli(probabilities, generator=generator)
    else:
        drawn = torch.multinomial(probabilities, 1, generator=generator)[:, 0]
        targets = torch.nn.functional.one_hot(drawn, 4).float()
    overconfident = true * 2.5
    temperature = fitted_temperature(task, overconfident, targets)
    assert temperature == pytest.approx(2.5, rel=0.05)
    found = calibration(task, overconfident, targets, temperature)
    assert found["expected_calibration_error"] < 0.01 < found["expected_calibration_error_uncalibrated"]
    assert found["temperature"] == temperature


def test_a_perfect_dev_split_asks_for_no_more_certainty():
    targets = torch.eye(4)
    assert fitted_temperature(TASKS["tags"], targets * 4 - 2, targets) == pytest.approx(1, abs=1e-4)


def test_what_is_said_of_a_head():
    assert told(1.234, "magnatagatune, split pons", 18706) == (
        "the head was trained on 18706 clips of magnatagatune, split pons; its probabilities are calibrated "
        "on its dev split (temperature 1.23): for other music they only rank"
    )
    assert "clips that it does not name; its probabilities are not calibrated" in told(None, None, None)
