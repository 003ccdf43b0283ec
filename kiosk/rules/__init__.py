"""What the desk decides. Pure: given what is known, decides; writes and asks nothing."""
