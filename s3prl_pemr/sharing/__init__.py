"""Models for use elsewhere: the Hugging Face hub, transformers, s3prl's own loop, ONNX, torch.export."""
