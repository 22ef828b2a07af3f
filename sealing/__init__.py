"""Encryption of what is kept and of what travels: `box` needs no Django, `fields` are Django's."""
