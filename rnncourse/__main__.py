"""`python -m rnncourse` is `rnncourse`."""

from .cli import main

main()
