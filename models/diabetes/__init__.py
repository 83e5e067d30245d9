"""Disease progression one year on, from ten baseline measurements of a diabetes patient."""
