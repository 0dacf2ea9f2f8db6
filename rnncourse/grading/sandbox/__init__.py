"""Outside the wall: starts workers, sends them what is to be run, and reads what comes back."""
