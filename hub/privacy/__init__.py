"""What persons decide about themselves."""
