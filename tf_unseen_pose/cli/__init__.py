"""The command line: `app` is the program; every other file is one command, or shared by several."""
