"""`python -m legr`: the command line."""

from legr.cli import main

if __name__ == "__main__":
    main()
