"""All rows of the database on their way: into a file and back, and from one database into another."""
