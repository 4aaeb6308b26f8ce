"""Folders of models in the form of the published ones, small and random."""

import json

import torch
from transformers import (
    ASTConfig,
    ASTFeatureExtractor,
    ASTModel,
    ClapConfig,
    ClapFeatureExtractor,
    ClapModel,
    HubertConfig,
    HubertModel,
)

CONVOLUTIONS = {"conv_dim": (8,) * 7, "conv_bias": False}
SMALL = {"hidden_size": 16, "num_hidden_layers": 3, "num_attention_heads": 2, "intermediate_size": 24}
MERT_ONLY = {  # what config.json of MERT-v1-95M has beside HuBERT's
    "model_type": "mert_model", "architectures": ["MERTModel"], "sample_rate": 24_000,
    "auto_map": {"AutoModel": "modeling_MERT.MERTModel"}, "feature_extractor_cqt": False,
    "feature_extractor_cqt_bins": 84, "deepnorm": False, "attention_relax": -1.0,
}  # fmt: skip


def randomise(model, seed=0):
    """Weights that are no zeros, so that every part has a say."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, value in model.named_parameters():
            value.copy_(torch.randn(value.shape, generator=generator) * 0.2)
            if "norm" in name and name.endswith("weight"):
                value.add_(1)
        for name, value in model.named_buffers():
            if name.endswith("running_var"):
                value.copy_(torch.rand(value.shape, generator=generator) + 0.5)
            elif name.endswith("running_mean"):
                value.copy_(torch.randn(value.shape, generator=generator) * 0.2)
    return model.eval()


def change_settings(folder, file="config.json", **changes):
    settings = json.loads((folder / file).read_text())
    settings |= {key: value for key, value in changes.items() if value is not None}
    for key in (key for key, value in changes.items() if value is None):
        del settings[key]
    (folder / file).write_text(json.dumps(settings))


def mert_folder(folder, stable=False, seed=0):
    """Returns the plain HubertModel whose weights are in the folder."""
    config = HubertConfig(
        **SMALL, **CONVOLUTIONS, num_conv_pos_embeddings=8, num_conv_pos_embedding_groups=2,
        do_stable_layer_norm=stable,
    )  # fmt: skip
    model = randomise(HubertModel(config), seed)
    model.save_pretrained(folder)
    change_settings(folder, **MERT_ONLY)
    heard = {
        "do_normalize": True,
        "sampling_rate": 24_000,
        "feature_extractor_type": "Wav2Vec2FeatureExtractor",
    }
    (folder / "preprocessor_config.json").write_text(json.dumps(heard))
    return model


def ast_folder(folder, seed=0):
    """Returns the plain ASTModel; 12 patches of frequency and 101 of time, as the published ones."""
    model = randomise(ASTModel(ASTConfig(**SMALL)), seed)
    model.save_pretrained(folder)
    ASTFeatureExtractor().save_pretrained(folder)
    return model


def clap_folder(folder, fused=False, seed=0):
    """Returns the plain ClapModel; 32 frames of 10 s, as the published ones."""
    audio = {
        "depths": [1] * 4, "num_attention_heads": [1] * 4, "patch_embeds_hidden_size": 4, "hidden_size": 32,
        "enable_fusion": fused, "projection_dim": 8, "num_hidden_layers": 4,
    }  # fmt: skip
    text = {**SMALL, "vocab_size": 20, "max_position_embeddings": 12, "projection_dim": 8}
    model = randomise(ClapModel(ClapConfig(text_config=text, audio_config=audio, projection_dim=8)), seed)
    model.save_pretrained(folder)
    ClapFeatureExtractor(truncation="fusion" if fused else "rand_trunc").save_pretrained(folder)
    return model
