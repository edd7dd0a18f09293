"""Background work: one detached process a job, its state on disk."""
