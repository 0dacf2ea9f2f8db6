"""What instructors and authors run in the checkout: the demonstration, the benchmark, what is
generated from the exercises."""
