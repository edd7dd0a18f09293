"""Pieces that several pages show, one subject a file."""
