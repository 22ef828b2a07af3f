"""Commands of the product as real processes, which a test starts, listens to and kills."""
