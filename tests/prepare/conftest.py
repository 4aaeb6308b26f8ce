"""Its rooms import from here what all tests of prepare share."""
