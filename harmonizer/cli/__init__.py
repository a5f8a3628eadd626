"""The command line: arguments in, files and a table out."""
