"""Pages of the product as a whole."""
