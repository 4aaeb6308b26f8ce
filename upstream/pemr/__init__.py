"""PEMR as an s3prl upstream: log-mel front end, frame transformer, frame masks, FCN-4 encoder."""
