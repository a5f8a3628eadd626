"""`python -m harmonizer`, and what the command `harmonizer` runs."""

from __future__ import annotations

from harmonizer.cli import interrupts, memory


def main() -> None:
    """Load the command line, which takes a moment, and run it."""
    try:
        from harmonizer.cli import app
    except BaseException as error:
        if stop := interrupts.find_interrupt(error):
            interrupts.exit_interrupted(stop)
        if memory.find_lack(error):
            memory.exit_lacking()
        raise
    app.main()


if __name__ == "__main__":
    main()
