"""Out of the program: how fast a network is, and files that run elsewhere."""
