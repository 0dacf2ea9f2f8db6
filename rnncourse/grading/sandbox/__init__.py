"""Learners' code runs here: a process inside bubblewrap, and the grader's side of it (`host`)."""
