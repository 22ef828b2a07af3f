"""How things look: template tags, parts, lists; knows no model."""
