"""Run as `python -m f2b_enrich`."""

from f2b_enrich.cli.main import main

main()
