"""`python -m brickwork` is the command `brickwork`."""

from .cli import main

if __name__ == "__main__":
    main()
