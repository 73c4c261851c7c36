"""What a long run has finished so far, on disk, so that being killed costs it little."""
