"""How fast the program is, and how that compares with the network as its authors ship it; see README.md."""
