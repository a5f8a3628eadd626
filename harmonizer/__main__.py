"""`python -m harmonizer`, and what the command `harmonizer` runs."""

from __future__ import annotations

from harmonizer import interrupts


def main() -> None:
    """Load the command line, which takes a moment, and run it."""
    try:
        from harmonizer import cli
    except BaseException as error:
        if stop := interrupts.behind(error):
            interrupts.leave(stop)
        raise
    cli.main()


if __name__ == "__main__":
    main()
