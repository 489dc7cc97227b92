"""``python -m kvmrender`` is ``kvmrender``."""

from kvmrender.cli import main

if __name__ == "__main__":
    main(prog_name="kvmrender")
