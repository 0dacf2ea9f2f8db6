"""`python -m rnncourse` is `rnncourse`."""

from ._cli import main

main()
