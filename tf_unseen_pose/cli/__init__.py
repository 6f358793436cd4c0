"""The command line: `app` is the program, and every other file is one command or what commands share."""
