"""Signing in with OpenID Connect: who else may say who somebody is, and how that is checked."""
