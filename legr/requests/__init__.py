"""What a command is asked to do, as data: each option of a command is declared once, as a field of a dataclass."""
