"""Programs for those who work on Ganeti Web Manager; the product itself imports none of them."""
