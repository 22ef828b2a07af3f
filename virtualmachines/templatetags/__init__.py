"""What templates can say beyond Django."""
