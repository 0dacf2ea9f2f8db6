"""What an author of exercises runs: make one, write what is generated, see what is missing."""
