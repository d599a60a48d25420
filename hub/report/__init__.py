"""What the stored rows say together."""
