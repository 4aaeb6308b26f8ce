"""From the labels of a store to targets: the kinds of task, splits, shares of the labels."""
