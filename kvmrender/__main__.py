"""``kvmrender`` is ``python -m kvmrender``."""

import gc
import os
import signal
import sys

GARBAGE = 200_000
"""Objects after which garbage is looked for: starting makes about half as many, and leaves none."""
VARIABLES = {"KVMRENDER_TEMPLATES", "KVMRENDER_MAX_SIZE", "_KVMRENDER_COMPLETE"}
"""Variables of the environment that are options of the command line, or ask it to complete some."""


def main() -> None:
    """Run the command line."""
    gc.set_threshold(GARBAGE)
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        # An import that is interrupted may leave half of a module: until there is what tells of it, that is the end.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from kvmrender.cli.program import as_program

    try:
        as_program(lambda: _run(*sys.argv[1:] or [""]))
    finally:
        gc.freeze()  # what ends with the process needn't be looked through


def _run(command: str, *files: str) -> None:
    if command == "render" and not any(is_option(file) for file in files) and not VARIABLES & os.environ.keys():
        # Nothing here is for click, which takes longer to start than a guest takes.
        from kvmrender.cli import run

        run.render(files)
    else:
        from kvmrender.cli.main import main as cli

        cli.main(prog_name="kvmrender")


def is_option(argument: str) -> bool:
    """Say whether an argument is one for click; ``-`` is standard input."""
    return argument.startswith("-") and argument != "-"


if __name__ == "__main__":
    main()
