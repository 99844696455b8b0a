"""Benchmarks of pnlbook, each against a peer that runs in turn with it on the same machine."""
