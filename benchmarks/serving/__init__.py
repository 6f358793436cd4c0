"""The embedded server under load and under attack; see ../README.md."""
