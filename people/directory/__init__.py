"""Signing in with the password that an LDAP directory keeps, and following what the directory says of people."""
