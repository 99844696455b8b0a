"""What the reports share: reading figures from a book, drawing them, formatting and exporting them."""
