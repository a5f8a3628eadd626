"""`python -m harmonizer`."""

from harmonizer.cli import main

main()
