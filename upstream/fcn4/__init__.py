"""Log-mel front end and FCN-4 (paper 3.2, 3.5): the encoder that PEMR and most baselines share."""
