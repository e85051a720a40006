"""Images and their table on a clinic's disk: what there is, whose it is, which of it is recent, and its pixels."""
