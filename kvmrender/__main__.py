"""Entry point of ``kvmrender`` and ``python -m kvmrender``."""

import gc
import os
import signal
import sys

GARBAGE = 200_000
"""Number of allocations before garbage collection; starting makes about half as many, and no cyclic garbage."""
VARIABLES = {"KVMRENDER_TEMPLATES", "KVMRENDER_MAX_SIZE", "_KVMRENDER_COMPLETE"}
"""Environment variables that set options of the command line or request shell completion."""


def main() -> None:
    """Run the command line."""
    gc.set_threshold(GARBAGE)
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        # An interrupted import may leave a module incomplete. Until signals are handled, an interrupt ends the program.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from kvmrender.cli.program import as_program

    try:
        as_program(lambda: _run(*sys.argv[1:] or [""]))
    finally:
        gc.freeze()  # Memory is freed when the process exits, so a garbage collection is not needed.


def _run(command: str, *files: str) -> None:
    if command == "render" and not any(is_option(file) for file in files) and not VARIABLES & os.environ.keys():
        # Fast path without click, whose import takes longer than rendering a guest.
        from kvmrender.cli import run

        run.render(files)
    else:
        from kvmrender.cli.main import main as cli

        cli.main(prog_name="kvmrender")


def is_option(argument: str) -> bool:
    """Return whether an argument is an option for click; ``-`` is standard input."""
    return argument.startswith("-") and argument != "-"


if __name__ == "__main__":
    main()
