"""`python -m pipeline` is `humans4d`."""

from pipeline.cli import main

main()
