"""Files apart from pictures: locks, what killed runs left, and tables of people."""
