"""The look that an installation gives itself: name, logo, colours, texts, its own templates and style sheet."""
