"""What is watched, one file a subject; the table lists them."""
