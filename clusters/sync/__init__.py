"""The update cycle's part for clusters: reading a complete snapshot, and writing only what changed."""
