"""Importing this makes the folder of a shared model one that transformers' Auto classes know.

    import s3prl_pemr.sharing.in_transformers
    from transformers import AutoFeatureExtractor, AutoModel, pipeline

    model = AutoModel.from_pretrained("FOLDER OR ME/NAME")
    vectors = pipeline("feature-extraction", model="FOLDER OR ME/NAME")("song.mp3")

`import s3prl_pemr` alone does not: transformers takes seconds to import (extra: s3prl-pemr[transformers]).
"""

from __future__ import annotations

from transformers import AutoConfig, AutoFeatureExtractor, AutoModel
from transformers.pipelines import PIPELINE_REGISTRY

from .transformers_model import PemrFeatureExtractor, PemrHubConfig, PemrModel
from .waveform_pipeline import TASK, WaveformFeatures

__all__ = ["PemrFeatureExtractor", "PemrHubConfig", "PemrModel", "WaveformFeatures"]

AutoConfig.register(PemrHubConfig.model_type, PemrHubConfig)
AutoModel.register(PemrHubConfig, PemrModel)
AutoFeatureExtractor.register(PemrHubConfig, PemrFeatureExtractor)
# As register_pipeline would, which takes no one's class without a warning; models of text go on as before.
PIPELINE_REGISTRY.supported_tasks[TASK] = PIPELINE_REGISTRY.supported_tasks[TASK] | {"impl": WaveformFeatures}
