"""`python -m oakum.scanner` is the `oakum` command."""

from .cli import main

if __name__ == "__main__":
    main()
