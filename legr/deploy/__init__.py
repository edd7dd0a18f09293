"""Deployment: latency of a network, and files that run elsewhere."""
