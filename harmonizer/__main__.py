"""`python -m harmonizer`, and what the command `harmonizer` runs."""

from __future__ import annotations

from harmonizer.cli import interrupts


def main() -> None:
    """Load the command line, which takes a moment, and run it."""
    try:
        from harmonizer.cli import app
    except BaseException as error:
        if stop := interrupts.find_interrupt(error):
            interrupts.exit_interrupted(stop)
        raise
    app.main()


if __name__ == "__main__":
    main()
