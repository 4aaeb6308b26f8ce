"""Rows of the paper's Table 6: PEMR without masks, with one mask, with masks by lot."""
