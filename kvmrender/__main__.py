"""``kvmrender`` is ``python -m kvmrender``."""

import gc

GARBAGE = 200_000
"""Objects after which garbage is looked for: starting makes about half as many, and leaves none."""


def main() -> None:
    """Run the command line."""
    gc.set_threshold(GARBAGE)
    from kvmrender import cli

    try:
        cli.main(prog_name="kvmrender")
    finally:
        gc.freeze()  # what ends with the process needn't be looked through


if __name__ == "__main__":
    main()
