"""What each command does with a study: one file a command, no printing, a plain dict as the result."""
