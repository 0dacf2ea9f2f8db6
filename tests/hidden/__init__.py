"""Hidden specs: references, and what each stage is worth. Never in the wheel or exercises/."""
