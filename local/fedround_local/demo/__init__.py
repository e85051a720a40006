"""The demo: a federation on this machine, a few rounds, and what came of them."""
