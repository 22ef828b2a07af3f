"""How an open page stays true: what changed is written down by the database, read once a second, and told to pages."""
