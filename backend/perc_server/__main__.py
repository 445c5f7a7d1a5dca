"""`python -m perc_server`."""

from perc_server.cli import main

main()
