"""From the labels of a store to targets: tags or genre, splits, shares of the labels."""
