"""What is measured. Each section answers with what it found, as JSON can hold it; pages make tables of that."""
