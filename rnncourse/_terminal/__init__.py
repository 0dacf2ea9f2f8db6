"""What a learner's commands need: names as people type them, and notebooks run in a process of
their own."""
