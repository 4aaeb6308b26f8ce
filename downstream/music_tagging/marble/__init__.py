"""MARBLE's tasks beyond the paper's, as configs: -c config_emo.yaml and the like."""
