"""What fields of forms have in common."""

#: no help from the browser with what is no prose
PLAIN = {"autocomplete": "off", "autocapitalize": "off", "spellcheck": "false"}
