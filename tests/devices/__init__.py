"""Other devices than the CPU: which one is chosen, and code that runs on a fake one."""
