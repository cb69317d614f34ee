"""How things look: words, numbers and charts; terminal, HTML, Markdown, JSON."""
