"""Re-posing with a trained model, on this machine or on a server."""
