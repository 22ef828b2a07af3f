"""Accounts and rights, as people deal with them: signing in, one's own password, giving and taking rights."""
